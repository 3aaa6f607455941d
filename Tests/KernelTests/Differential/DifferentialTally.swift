import HostNetwork
import PolicyModel
import Testing

/// How often packets of each kind were allowed and denied: what shows that a run put everything to the test.
struct DifferentialTally {
    struct Counts {
        var allowed = 0
        var denied = 0
    }

    private(set) var count = 0
    private(set) var explained = 0
    private var kinds: [String: Counts] = [:]

    mutating func note(_ probe: Probe, _ part: String, _ phase: String, isAllowed: Bool) {
        count += 1
        for kind in [probe.way, probe.kind, "\(probe.packet.family)", "\(part) \(phase)"] {
            if isAllowed { kinds[kind, default: Counts()].allowed += 1 } else { kinds[kind, default: Counts()].denied += 1 }
        }
    }

    mutating func noteExplained() { explained += 1 }

    mutating func add(_ other: DifferentialTally) {
        count += other.count
        explained += other.explained
        for (kind, counts) in other.kinds {
            kinds[kind, default: Counts()].allowed += counts.allowed
            kinds[kind, default: Counts()].denied += counts.denied
        }
    }

    /// Both verdicts must have been possible for every kind that there is.
    func expectVariety(here: SourceLocation = #_sourceLocation) {
        for (kind, counts) in kinds.sorted(by: { $0.key < $1.key }) {
            let total = counts.allowed + counts.denied
            #expect(min(counts.allowed, counts.denied) * 50 > total, "\(kind): \(counts)", sourceLocation: here)
        }
        #expect(kinds.count >= 20, sourceLocation: here)
        #expect(explained * 5 > count, sourceLocation: here)
    }

    var text: String {
        let lines = kinds.sorted { $0.key < $1.key }.map { "    \($0.key): \($0.value.allowed) allowed, \($0.value.denied) denied" }
        return (["\(count) verdicts, \(explained) of them of hawser explain, too"] + lines).joined(separator: "\n")
    }
}

extension Probe {
    fileprivate var way: String {
        func word(_ place: DifferentialWorld.Place) -> String {
            switch place {
            case .pod: "pod"
            case .host: "host"
            case .world: "world"
            }
        }
        return "\(word(sender)) to \(word(receiver))"
    }

    fileprivate var kind: String {
        switch packet.transport {
        case .ports(let number, _, _): "\(number)"
        case .icmp: packet.family == .v4 ? "icmp" : "icmpv6"
        case .other: "other protocols"
        }
    }
}
