import HostNetwork
import Lab
import OwnThreads
import Testing

@testable import Kernel
@testable import Netlink

@Suite("What others have in a namespace", .ownThreads) struct StrangersTests {
    private let lab: Lab
    private let host: LabNamespace

    init() throws {
        lab = try Lab()
        host = try lab.namespace("host")
    }

    private func look(_ budget: ReadingBudget = ReadingBudget()) throws -> Strangers {
        let namespace = try NetworkNamespace(at: host.path)
        var reader = try StrangersReader(in: namespace, mask: 0xffff_0000)
        var budget = budget
        return reader.read(&budget)
    }

    private func chain(_ family: String, _ rules: [String]) throws {
        let text = "table \(family) t {\n  chain c {\n" + rules.map { "    \($0)\n" }.joined() + "  }\n}\n"
        try host.run(["nft", "-f", "-"], input: text)
    }

    @Test(
        "is told by real rules: those that write the whole mark, and not those that keep Hawser's bits",
        arguments: ["ip", "ip6", "inet"])
    func marks(family: String) throws {
        #expect(try look() == Strangers())
        try chain(
            family,
            [
                "ct mark set ct mark and 0xffff0000 or 0x1", "ct mark set ct mark or 0x8",
                "meta mark set ct mark", "ct mark 0x1 accept",
                "ct mark set ct mark xor 0xffff", "tcp dport 80 counter ct mark set ct mark and 0xffffff00",
                "ct zone set 1",
            ])
        #expect(try look().markers.count == 0)
        let bad = [
            "ct mark set 0x1", "ct mark set meta mark", "ct mark set ct mark and 0xff",
            "tcp dport 80 counter ct mark set 0xffff0001",
            "ct mark set tcp dport map { 80 : 0x1 }", "ct mark set ct mark or 0x10000",
        ]
        for rule in bad {
            try host.run("nft", "flush", "ruleset")
            try chain(family, ["counter", rule])
            let found = try look().markers
            #expect(found.count == 1, "\(rule)")
            let place = try #require(found.some.first?.place)
            #expect(place.family == family && place.table == "t" && place.chain == "c")
            #expect(try host.run("nft", "-a", "list", "ruleset").contains("\(place.handle)"))
        }
        try chain("ip", bad)
        #expect(try look().markers.count == bad.count + 1)
    }

    @Test("leaves Hawser's own tables out, and not those of its name in another family")
    func own() throws {
        try host.run(["nft", "-f", "-"], input: "table inet hawser { chain c { ct mark set 0x1; }; }\n")
        #expect(try look().markers.count == 0)
        try host.run(["nft", "-f", "-"], input: "table ip6 hawser { chain c { ct mark set 0x1; }; }\n")
        #expect(try look().markers.some.map(\.place.family) == ["ip6"])
    }

    @Test("is read as far as a budget goes, and says so")
    func bounded() throws {
        try chain("inet", (0..<1000).map { "tcp dport \($0 + 1) ct mark set 0x1" })
        let some = try look(ReadingBudget(objects: 300))
        #expect(some.unread == "there are too many rules")
        #expect(some.markers.count < 300 && some.markers.some.count == 20)
        let late = try look(ReadingBudget(time: .zero))
        #expect(late.unread == "it takes too long" && late.markers.count < 1000)
        let all = try look()
        #expect(all.unread == nil && all.markers.count == 1000)
    }

    // MARK: What this kernel can't make

    /// No flowtable can be made here (CONFIG_NF_FLOW_TABLE), and there is no iptables: messages are written
    /// as linux/netfilter/nf_tables.h says. That the kernel writes them so isn't shown.
    private func message(_ body: (inout MessageWriter) -> Void) -> [UInt8] {
        var writer = MessageWriter()
        writer.message(MessageType(rawValue: 0), []) { message in
            message.put(raw: TableFamily.inet.header)
            body(&message)
        }
        return writer.bytes
    }

    private func rule(_ name: String, _ data: (inout MessageWriter) -> Void) -> ForeignRule? {
        let bytes = message { message in
            message.put(AttributeKey<String>(1), "fw")
            message.put(AttributeKey<String>(2), "forward")
            message.put(AttributeKey<NetworkOrder<UInt64>>(3), 7)
            message.nest(AttributeKey<Nest>(4)) { list in
                list.nest(AttributeKey<Nest>(1)) { expression in
                    expression.put(AttributeKey<String>(1), name)
                    expression.nest(AttributeKey<Nest>(2), data)
                }
            }
        }
        return unsafe ForeignRule(bytes.span.bytes)
    }

    @Test("has flowtables with their devices, and rules that add flows to them")
    func flowtables() throws {
        let bytes = message { message in
            message.put(AttributeKey<String>(1), "fw")
            message.put(AttributeKey<String>(2), "fast")
            message.nest(AttributeKey<Nest>(3)) { hook in
                hook.put(AttributeKey<NetworkOrder<UInt32>>(1), 0)
                hook.put(AttributeKey<NetworkOrder<UInt32>>(2), 0)
                hook.nest(AttributeKey<Nest>(3)) { devices in
                    for name in ["eth0", "eth1"] { devices.put(AttributeKey<String>(1), name) }
                }
            }
        }
        let table = unsafe ForeignRule.flowtable(bytes.span.bytes)
        #expect(
            table
                == Strangers.Flowtable(family: "inet", table: "fw", name: "fast", devices: ["eth0", "eth1"]))
        let adding = try #require(rule("flow_offload") { $0.put(AttributeKey<String>(1), "fast") })
        #expect(adding.flowtable == "fast" && adding.changes == 0)
        #expect(adding.place == Strangers.Place(family: "inet", table: "fw", chain: "forward", handle: 7))
        #expect(rule("counter") { $0.put(AttributeKey<String>(1), "fast") } == nil)
    }

    @Test("has xtables' CONNMARK, which changes the bits that its mask and its mode say")
    func connmark() {
        func changes(
            _ revision: UInt32, _ mark: UInt32, _ mask: UInt32, _ packet: UInt32, _ last: [UInt8],
            name: String = "CONNMARK"
        ) -> UInt32? {
            rule("target") { target in
                target.put(AttributeKey<String>(1), name)
                target.put(AttributeKey<NetworkOrder<UInt32>>(2), revision)
                let numbers = [mark, mask, packet].flatMap { number in
                    (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
                }
                target.put(AttributeKey<Bytes>(3), numbers + last)
            }?.changes
        }
        // --set-mark 1, --set-xmark 1/0xff, --save-mark, --save-mark with masks, --restore-mark
        #expect(changes(1, 1, .max, 0, [0, 0, 0, 0]) == .max)
        #expect(changes(1, 1, 0xff, 0, [0, 0, 0, 0]) == 0xff)
        #expect(changes(1, 0, .max, .max, [1, 0, 0, 0]) == .max)
        #expect(changes(1, 0, 0xff, 0xff, [1, 0, 0, 0]) == 0xff)
        #expect(changes(1, 0, .max, .max, [2, 0, 0, 0]) == nil)
        // The second revision: direction, width of the shift, mode.
        #expect(changes(2, 1, 0xff, 0, [0, 0, 0, 0]) == 0xff)
        #expect(changes(2, 0, 0xff, 0xff, [0, 8, 1, 0]) == .max)
        #expect(changes(2, 0, .max, .max, [0, 0, 2, 0]) == nil)
        #expect(changes(9, 0, 0, 0, [0, 0, 0, 0]) == .max)
        #expect(changes(1, 1, .max, 0, [0, 0, 0, 0], name: "MARK") == nil)
    }
}
