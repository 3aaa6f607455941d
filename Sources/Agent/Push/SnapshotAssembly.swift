import GRPCCore
import HawserProtocol
import SwiftProtobuf

/// The pieces of a snapshot, until the last has come.
struct SnapshotAssembly: ~Copyable {
    private var pieces: (id: String, dryRun: Bool, resources: Hawser_V1_Resources)?
    /// Of the pieces that are here.
    private(set) var values = 0
    private let limit: Int
    private let mostValues: Int
    private let account: (tally: Tally, client: Budget.Client)?

    /// - Parameters:
    ///   - limit: the most resources.
    ///   - mostValues: the most values of all pieces together.
    ///   - account: where the values of unfinished snapshots are counted, and on whose account.
    init(limit: Int, mostValues: Int = .max, account: (tally: Tally, client: Budget.Client)? = nil) {
        (self.limit, self.mostValues, self.account) = (limit, mostValues, account)
    }

    deinit {
        if let account { account.tally.remove(values, of: account.client) }
    }

    /// Whether more of it is to come.
    var isUnfinished: Bool { pieces != nil }

    /// Takes a piece of so many values; answers with the whole when it was the last.
    mutating func add(
        _ piece: Hawser_V1_SnapshotPiece, id: String, dryRun: Bool, values: Int = 0
    ) throws(RPCError) -> (resources: Hawser_V1_Resources, values: Int)? {
        var (first, isDry, resources) = pieces ?? (id, dryRun, Hawser_V1_Resources())
        guard first == id, isDry == dryRun else {
            throw RPCError(
                code: .failedPrecondition,
                message: "this piece isn't of snapshot \"\(first)\", whose last one hasn't come; nothing of it is applied")
        }
        guard self.values + values <= mostValues else { throw .values("a snapshot", mostValues) }
        let isRoom = account.map { $0.tally.add(values, of: $0.client) } ?? true
        self.values += values
        guard isRoom else {
            throw RPCError(
                code: .resourceExhausted,
                message: "too much of snapshots that aren't whole is here already; nothing is changed, push it again")
        }
        resources.append(piece.resources)
        guard resources.count <= limit else {
            throw RPCError(
                code: .resourceExhausted, message: "a snapshot of more than \(limit) resources (push.maxResources); nothing is changed")
        }
        pieces = piece.last ? nil : (first, isDry, resources)
        guard piece.last else { return nil }
        return (resources, forget())
    }

    /// What it was, which is on another account from here on.
    private mutating func forget() -> Int {
        defer { values = 0 }
        if let account { account.tally.remove(values, of: account.client) }
        return values
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
