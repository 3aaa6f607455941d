import HostNetwork
import Kernel

/// What somebody else changed of one resource, until it is put right.
struct Repair: Sendable {
    var owner: IntentID
    var differences: [Difference] = []
    /// What was put right by looking.
    var restored: [String] = []
    var culprits: [Culprit] = []

    init(of owner: IntentID) { self.owner = owner }

    mutating func formUnion(_ other: Repair) {
        // A pod that can't be repaired can still be looked at, again and again.
        differences += other.differences.prefix(max(0, Self.most - differences.count))
        restored += other.restored
        for culprit in other.culprits where !culprits.contains(culprit) { culprits.append(culprit) }
    }

    private static let most = 1000

    /// Without what nobody wants back: a link that went with its pod's namespace isn't missing.
    func relevant(to desired: HostState) -> Repair? {
        var result = self
        result.differences.removeAll { $0.kind == .missing && desired[$0.entry.object.key] == nil }
        return result.differences.isEmpty && result.restored.isEmpty ? nil : result
    }

    /// The objects that were touched, by kind: "link", "route", …
    var kinds: [String: Int] { differences.reduce(into: [:]) { $0[$1.entry.object.kind, default: 0] += 1 } }

    /// For people: what was different, and who did it where the kernel tells.
    var words: String {
        let all = restored + differences.map(\.description)
        let rest = all.count > 3 ? ["and \(all.count - 3) more"] : []
        let by = culprits.isEmpty ? "" : "; by \(culprits.map(\.description).joined(separator: ", "))"
        return (all.prefix(3) + rest).joined(separator: "; ") + by
    }
}

extension Object {
    fileprivate var kind: String {
        switch self {
        case .link: "link"
        case .address: "address"
        case .route: "route"
        case .neighbor: "neighbor"
        case .tunnel: "tunnel"
        case .forwarding: "forwarding"
        case .tableRule: "tableRule"
        case .table: "table"
        case .chain: "chain"
        case .set: "set"
        case .rule: "rule"
        case .element: "element"
        }
    }
}

extension [Repair] {
    /// What differs, by whose it is. Where a whole table was taken away that says all that there is to say of it, and of very many resources
    /// the last ones aren't told one by one.
    init(_ differences: [Difference], _ restored: [LinkName: [String]], by culprits: [Suspicion.Subject: [Culprit]], in state: HostState) {
        let gone = Set(differences.compactMap { difference in difference.kind == .missing ? difference.entry.object.tableItself : nil })
        var repairs: [IntentID: Repair] = [:]
        for difference in differences {
            let object = difference.entry.object
            if let table = object.table, gone.contains(table), object.tableItself == nil { continue }
            var repair = Repair(of: difference.because)
            repair.differences = [difference]
            if let link = object.link {
                repair.culprits = (culprits[.link(link)] ?? []) + (culprits[.side(link)] ?? [])
            } else {
                repair.culprits = culprits[object.isRuleset ? .ruleset : .elsewhere] ?? []
            }
            repairs[repair.owner, default: Repair(of: repair.owner)].formUnion(repair)
        }
        for (link, words) in restored {
            var repair = Repair(of: state.entries[.link(link)]?.because ?? Layout.because)
            repair.restored = words
            repairs[repair.owner, default: Repair(of: repair.owner)].formUnion(repair)
        }
        let sorted = repairs.values.sorted { $0.owner < $1.owner }
        guard sorted.count > Self.most else {
            self = sorted
            return
        }
        var rest = Repair(of: Layout.because)
        for repair in sorted[Self.most...] { rest.formUnion(repair) }
        self = Array(sorted[..<Self.most]) + [rest]
    }

    private static var most: Int { 50 }
}

extension Object {
    fileprivate var tableItself: TableFamily? { if case .table(let family) = self { family } else { nil } }
}
