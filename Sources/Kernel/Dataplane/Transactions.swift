package import HostNetwork

/// A big program of the firewall in pieces, for while one is committed the host's other nftables users wait.
///
/// What pods share comes first, then the pods, each whole in one piece, then what nobody needs any more. The pieces may be in
/// force one without the other: a pod that isn't bound yet is closed, and one whose rules change is judged packet by packet until the
/// stamps come, which is after the last piece.
///
/// How long an object takes depends on what it is and on what there is already, from 2 µs to 1 ms: so a piece has objects of one kind, and as many
/// of them as the time of the one before it allows.
package struct Transactions {
    /// What has no more objects than this goes together.
    package static let whole = 1000
    /// Of a piece, the time that it is meant to take. Others wait no longer than several times that.
    static let aim: Duration = .milliseconds(20)

    private enum Stage: Hashable { case asIs, fixed, shared(Kind), pods, gone(Kind) }

    /// What takes alike long.
    private enum Kind: Hashable {
        case chain, set, rule, element
        /// An element of a set of ranges.
        case range

        init(_ object: Object) {
            switch object {
            case .set: self = .set
            case .rule: self = .rule
            case .element(let element): self = element.end == nil ? .element : .range
            default: self = .chain
            }
        }
    }

    /// What can't be divided.
    private struct Unit {
        let stage: Stage
        let operations: [HostNetwork.Operation]
    }

    /// In order.
    private var units: ArraySlice<Unit>
    /// Objects in a piece of each kind, about.
    private var sizes: [Stage: Int] = [:]
    /// The kind of the last one.
    private var last = Stage.asIs
    /// Of a kind that nothing is known of yet.
    private static let guess = 25

    package init(_ operations: [HostNetwork.Operation]) {
        // Tables that are replaced are so at once: nobody sees them gone.
        guard operations.count > Self.whole, !operations.contains(where: { Phase.of($0) == .tableGone }) else {
            units = Self.inOne(operations).map { Unit(stage: .asIs, operations: $0) }[...]
            return
        }
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
        units = Self.units(ofShared: shared)[...]
        for link in pods.keys.sorted() { units.append(Unit(stage: .pods, operations: pods[link] ?? [])) }
        units += gone.map { Unit(stage: .gone(Kind($0.object)), operations: [$0]) }
    }

    /// The next piece; nil when that was all.
    package mutating func next() -> [HostNetwork.Operation]? {
        guard let first = units.popFirst() else { return nil }
        last = first.stage
        guard first.stage != .asIs else { return first.operations }
        let size = sizes[first.stage] ?? Self.guess
        var piece = first.operations
        while let unit = units.first, unit.stage == first.stage, piece.count + unit.operations.count <= size {
            piece += unit.operations
            units.removeFirst()
        }
        return first.stage == .pods ? Self.ordered(piece) : piece
    }

    /// How long so many objects took: the next piece is smaller or larger.
    package mutating func took(_ time: Duration, for objects: Int) {
        guard time > .zero, objects > 0 else { return }
        let allowed = Double(objects) * (Self.aim / time)
        // Never more than twice as many: of one kind, too, some take longer.
        sizes[last] = min(5000, max(20, min(2 * objects, Int(allowed))))
    }

    /// One transaction; before it, where bindings change or a rule goes, one that makes what comes in their place and nobody refers to yet.
    ///
    /// A packet that began before a commit takes its rules from the old generation, but looks up sets in the new one (`nft_do_chain` and
    /// `nft_genmask_cur`, net/netfilter): a map would send it to a chain that is as good as empty to it, and it would be lost. And a set of ranges has
    /// its elements only some time after the rules that look into it are in force (`nft_set_commit_update`, after the new generation's start).
    private static func inOne(_ operations: [HostNetwork.Operation]) -> [[HostNetwork.Operation]] {
        let ahead = needed(operations)
        guard !ahead.isEmpty else { return operations.isEmpty ? [] : [operations] }
        return [operations.filter(ahead.contains), operations.filter { !ahead.contains($0) }]
    }

    private static func needed(_ operations: [HostNetwork.Operation]) -> Set<HostNetwork.Operation> {
        guard operations.contains(where: { $0.object.element?.link != nil && Phase.of($0) == .unbind || Phase.of($0) == .ruleGone }) else {
            return []
        }
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

    /// The fixed part goes together, for its chains name each other. Sets and chains come before what is in them; then what goes from a
    /// resource goes together with what comes for it, so that no packet sees rules that are neither the old ones nor the new ones.
    private static func units(ofShared operations: [HostNetwork.Operation]) -> [Unit] {
        let fixed = operations.filter { $0.because == Layout.because }
        let others = operations.filter { $0.because != Layout.because }
        let changed = Set(others.filter { Phase.of($0) <= .elementGone }.map(\.because))
        var units: [[HostNetwork.Operation]] = []
        units += others.filter { $0.object.holder != nil }.map { [$0] }
        var places: [IntentID: Int] = [:]
        for operation in others where operation.object.holder == nil {
            if let place = places[operation.because] {
                units[place].append(operation)
            } else {
                if changed.contains(operation.because) { places[operation.because] = units.count }
                units.append([operation])
            }
        }
        let shared = units.map { Unit(stage: .shared($0.first.map { Kind($0.object) } ?? .chain), operations: $0) }
        return (fixed.isEmpty ? [] : [Unit(stage: .fixed, operations: fixed)]) + shared
    }

    /// Unbind before bind before attach, elements of one set side by side.
    private static func ordered(_ operations: [HostNetwork.Operation]) -> [HostNetwork.Operation] {
        operations.sorted { a, b in
            let (first, second) = (Phase.of(a), Phase.of(b))
            return first == second ? (a.object.container?.name ?? "") < (b.object.container?.name ?? "") : first < second
        }
    }
}
