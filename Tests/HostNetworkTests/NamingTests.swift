import HostNetwork
import PolicyModel
import Testing

@Suite("Names of chains and sets") struct NamingTests {
    /// Ids of all sorts that people and controllers give, many of them alike.
    private func ids(_ random: inout Seeded) -> [String] {
        let pieces = ["a", "web", ":", "/", "//", ".", "_", "-", "default", "9", "\u{e9}", String(repeating: "x", count: 120), "@", "_web"]
        return (0..<400).map { _ in (0..<random.number(1...4)).map { _ in pieces.randomElement(using: &random) ?? "a" }.joined() }
    }

    @Test("are another for another role or id, whatever stands in the id", arguments: 0..<10)
    func injective(seed: Int) {
        var random = Seeded(seed)
        let ids = Set(ids(&random))
        var names: [String: String] = [:]
        for role in ["sg-out", "sg-out-reply", "members-4"] {
            for id in ids {
                let name = Naming.name(role, id)
                #expect(names.updateValue("\(role) \(id)", forKey: name) == nil, "seed \(seed): \(name)")
            }
            for (one, other) in zip(ids.sorted(), ids.sorted().reversed()) {
                let name = Naming.name(role, one, and: other)
                #expect(names.updateValue("\(role) \(one) and \(other)", forKey: name) == nil, "seed \(seed): \(name)")
            }
        }
    }

    @Test("are short and plain enough for the kernel and for nft, which begins a name with a letter", arguments: 0..<10)
    func legal(seed: Int) {
        var random = Seeded(seed)
        for id in ids(&random) {
            for name in [Naming.name("in-ports-4-reply", id), Naming.name("in-ports-4-reply", id, and: id)] {
                #expect(name.utf8.count <= 255, "\(name)")
                #expect(name.utf8.allSatisfy(isLegal), "\(name)")
                #expect(name.first?.isLetter ?? false)
            }
        }
    }

    @Test("are the id where that is plain, and end in a hash where it isn't")
    func examples() {
        #expect(Naming.name("sg-in", "blue/default") == "sg-in/blue/default")
        #expect(Naming.name("sg-in", "a:b").hasPrefix("sg-in/a_b//"))
        #expect(Naming.name("sg-in", "a:b") != Naming.name("sg-in", "a_b"))
        #expect(Naming.name("sg-in", "a//b").hasPrefix("sg-in/a__b//"))
    }

    @Test("are told apart from the sets that are always there")
    func base() {
        let flows = Flow.allCases.flatMap { flow in
            [BaseSet.fresh(flow), .freshAt(flow, .v4), .freshAt(flow, .v6), .stamp(flow), .denied(flow)]
                + Way.allCases.map { .slot(flow, $0, 12) }
        }
        let own = Family.allCases.flatMap { family in [true, false].map { BaseSet.own(.inet, family, ranges: $0) } }
        let sets = flows + own + [.own(.arp, .v4, ranges: true), .unfiltered(.inet), .unfiltered(.arp)]
        for set in sets {
            #expect(BaseSet(set.id) == set)
        }
        for role in ["in-any-4", "out-ports-6", "in-icmp-4-reply", "members-4", "addresses-ranges-6"] {
            #expect(BaseSet(Named(.inet, Naming.name(role, "1"))) == nil)
        }
    }

    @Test("of links are 13 bytes and distinct for 100,000 pods")
    func links() {
        var names: Set<String> = []
        for number in 0..<50_000 {
            names.insert(LinkName(of: ID("web-\(number)")).value)
            names.insert(LinkName(of: ID("namespace/pod-\(number)")).value)
        }
        #expect(names.count == 100_000)
        #expect(names.allSatisfy { $0.utf8.count == 13 && $0.hasPrefix("hw") })
    }

    private func isLegal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "./_-".utf8.contains(byte)
        }
    }
}
