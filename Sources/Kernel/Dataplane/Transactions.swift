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
        guard operations.count > size else { return inOne(operations) }
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

    /// One transaction; before it, where bindings change, one that makes what the new bindings need and nobody refers to yet.
    ///
    /// A packet that began before a commit takes its rules from the old generation, but looks up sets in the new one (`nft_do_chain` and
    /// `nft_genmask_cur`, net/netfilter): a map would send it to a chain that is as good as empty to it, and it would be lost.
    private static func inOne(_ operations: [HostNetwork.Operation]) -> [[HostNetwork.Operation]] {
        let ahead = needed(operations)
        guard !ahead.isEmpty else { return operations.isEmpty ? [] : [operations] }
        return [operations.filter(ahead.contains), operations.filter { !ahead.contains($0) }]
    }

    private static func needed(_ operations: [HostNetwork.Operation]) -> Set<HostNetwork.Operation> {
        guard operations.contains(where: { $0.object.element?.link != nil && Phase.of($0) == .unbind }) else { return [] }
        var made: Set<Named> = []
        for operation in operations {
            switch operation.object {
            case .table: return []
            case .set(let set) where operation.action == .add: made.insert(set.id)
            // A chain with a body is no group's.
            case .chain(let chain) where operation.action == .add && chain.body.isEmpty: made.insert(chain.id)
            default: continue
            }
        }
        let slots = Set(HostNetwork.Flow.allCases.flatMap { flow in Way.allCases.map { Layout.slots(flow, $0) } })
        return Set(
            operations.filter { operation in
                guard operation.action == .add, operation.object.element?.link == nil else { return false }
                if let holder = operation.object.holder { return made.contains(holder) }
                return operation.object.container.map { made.contains($0) || slots.contains($0) } ?? false
            })
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
