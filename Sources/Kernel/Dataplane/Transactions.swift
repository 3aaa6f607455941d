import HostNetwork

/// A big program of the firewall in pieces: one huge batch would keep the host's other nftables users waiting.
///
/// What pods share comes first, then the pods, each whole in one piece, then what nobody needs any more. The pieces may be in
/// force one without the other: a pod that isn't bound yet is closed, and one whose rules change is judged packet by packet until the
/// stamps come, which is after the last piece.
enum Transactions {
    /// Objects in a piece, about.
    static let size = 5000

    static func split(_ operations: [HostNetwork.Operation]) -> [[HostNetwork.Operation]] {
        guard operations.count > size else { return operations.isEmpty ? [] : [operations] }
        var shared: [HostNetwork.Operation] = []
        var gone: [HostNetwork.Operation] = []
        var pods: [LinkName: [HostNetwork.Operation]] = [:]
        for operation in operations {
            if let link = operation.object.element?.link {
                pods[link, default: []].append(operation)
            } else if Phase.of(operation) >= .ruleGone {
                gone.append(operation)
            } else {
                shared.append(operation)
            }
        }
        var pieces = pieces(ofShared: shared)
        var piece: [HostNetwork.Operation] = []
        for link in pods.keys.sorted() {
            piece += pods[link] ?? []
            if piece.count >= size {
                pieces.append(ordered(piece))
                piece = []
            }
        }
        if !piece.isEmpty { pieces.append(ordered(piece)) }
        if !gone.isEmpty { pieces.append(gone) }
        return pieces
    }

    /// Ranges that go make room for those that come, so they share a piece; mere additions may come in several.
    private static func pieces(ofShared operations: [HostNetwork.Operation]) -> [[HostNetwork.Operation]] {
        guard operations.count > size else { return operations.isEmpty ? [] : [operations] }
        guard !operations.contains(where: { Phase.of($0) <= .elementGone }) else { return [operations] }
        return stride(from: 0, to: operations.count, by: size).map { Array(operations[$0..<min($0 + size, operations.count)]) }
    }

    /// Unbind before bind before attach, elements of one set side by side.
    private static func ordered(_ operations: [HostNetwork.Operation]) -> [HostNetwork.Operation] {
        operations.sorted { a, b in
            let (first, second) = (Phase.of(a), Phase.of(b))
            return first == second ? (a.object.container?.name ?? "") < (b.object.container?.name ?? "") : first < second
        }
    }
}
