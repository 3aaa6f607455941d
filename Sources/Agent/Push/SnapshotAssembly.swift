import GRPCCore
import HawserProtocol
import SwiftProtobuf

/// The pieces of a snapshot, until the last has come.
struct SnapshotAssembly {
    private var pieces: (id: String, dryRun: Bool, resources: Hawser_V1_Resources)?
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Takes a piece; answers with the whole when it was the last.
    mutating func add(_ piece: Hawser_V1_SnapshotPiece, id: String, dryRun: Bool) throws(RPCError) -> Hawser_V1_Resources? {
        var (first, isDry, resources) = pieces ?? (id, dryRun, Hawser_V1_Resources())
        guard first == id, isDry == dryRun else {
            throw RPCError(
                code: .failedPrecondition,
                message: "this piece isn't of snapshot \"\(first)\", whose last one hasn't come; nothing of it is applied")
        }
        resources.append(piece.resources)
        guard resources.count <= limit else {
            throw RPCError(
                code: .resourceExhausted, message: "a snapshot of more than \(limit) resources (push.maxResources); nothing is changed")
        }
        pieces = piece.last ? nil : (first, isDry, resources)
        return piece.last ? resources : nil
    }

    /// Nothing else may come before the last piece, nor the end.
    func finish() throws(RPCError) {
        guard let pieces else { return }
        throw RPCError(
            code: .failedPrecondition,
            message: "the last piece of snapshot \"\(pieces.id)\" is missing; nothing of it is applied")
    }
}

extension Hawser_V1_Resources {
    fileprivate mutating func append(_ other: Hawser_V1_Resources) {
        networks += other.networks
        securityGroups += other.securityGroups
        addressGroups += other.addressGroups
        pods += other.pods
        neighbors += other.neighbors
        if unknownFields.data.isEmpty { unknownFields = other.unknownFields }
    }
}
