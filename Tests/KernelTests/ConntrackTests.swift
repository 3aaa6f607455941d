import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("Tracked flows", .ownThreads) struct ConntrackTests {
    let place: LinksLab
    let pods: [SamplePod]

    /// Two pods, whose flows through the host are tracked; the flows of the first one's are marked.
    init() throws {
        place = try LinksLab()
        pods = try place.pods(10...12)
        var table = try place.table()
        #expect(table.apply(pods.attach) == [])
        let ruleset = "table inet t { chain c { type filter hook forward priority 0; ct state new ct mark set 0xabcd1234; }\n }"
        try place.host.run(["nft", "-f", "-"], input: ruleset)
    }

    private func flowTable() throws -> FlowTable { try FlowTable(in: NetworkNamespace(at: place.host.path)) }

    /// A datagram from each of the first two pods to each other and to the third, in both families, of as many ports as told.
    private func talk(ports: UInt16 = 1) throws {
        for family in 0...1 {
            let sockets = try pods.map { try UDP(in: $0.namespace, at: $0.texts[family], port: 53) }
            for (from, to) in [(0, 1), (1, 0), (1, 2)] {
                for number in 0..<ports {
                    // Ports that the kernel chooses may come twice, and then there is one flow less.
                    let sender = try UDP(in: pods[from].namespace, at: pods[from].texts[family], port: 40000 + number)
                    #expect(try sender.reaches(sockets[to], at: pods[to].texts[family], within: .seconds(2)))
                }
            }
        }
    }

    /// As many flows between the other two that the kernel had better look for those of an address by itself.
    private func crowd() throws {
        let sender = try UDP(in: pods[1].namespace, at: pods[1].texts[0])
        for port in 10_000..<16_000 { try sender.send("crowd", to: pods[2].texts[0], port: UInt16(port)) }
    }

    @Test("are found by an address, whoever began them", arguments: [0, 1])
    func areFound(family: Int) throws {
        try talk()
        var flows = try flowTable()
        let address = pods[0].addresses[family]
        let found = try flows.flows(of: address)
        #expect(
            Set(found.map { [$0.source, $0.destination] }) == [
                [address, pods[1].addresses[family]], [pods[1].addresses[family], address],
            ])
        #expect(found.allSatisfy { $0.mark == 0xabcd_1234 && $0.ipProtocol == 17 && $0.sourcePort > 0 && $0.destinationPort > 0 })
        #expect(try flows.flows().count == 6)
    }

    @Test("of an address are deleted, and no others", arguments: [0, 1])
    func areDeleted(family: Int) throws {
        try talk(ports: 20)
        var flows = try flowTable()
        let before = try flows.flows()
        let address = pods[0].addresses[family]
        let gone = before.filter { $0.source == address || $0.destination == address }
        #expect(gone.count == 40)
        #expect(try flows.delete(of: address) == 40)
        #expect(try Set(flows.flows()) == Set(before).subtracting(gone))
        #expect(try flows.delete(of: address) == 0)
        let listed = try place.host.run("conntrack", "-L", "-f", family == 0 ? "ipv4" : "ipv6")
        #expect(listed.split(separator: "\n").count == 20)
        #expect(!listed.contains("\(address) "))
    }

    @Test("that were translated to an address are deleted with it")
    func translatedAreDeleted() throws {
        let ruleset = "table ip n { chain c { type nat hook prerouting priority dstnat; ip daddr 192.0.2.9 dnat to 10.1.0.11; }\n }"
        try place.host.run(["nft", "-f", "-"], input: ruleset)
        let receiver = try UDP(in: pods[1].namespace, at: pods[1].ipv4)
        #expect(try UDP(in: pods[0].namespace, at: pods[0].ipv4).reaches(receiver, at: "192.0.2.9", within: .seconds(2)))
        var flows = try flowTable()
        #expect(try flows.flows(of: pods[1].addresses[0]).map(\.destination) == [IPAddress(parsing: "192.0.2.9")])
        #expect(try flows.delete(of: pods[1].addresses[0]) == 1)
        #expect(try flows.flows() == [])
    }

    @Test(
        "of addresses lose the bits of a mask, and no others: of one or several, found by the kernel or among all",
        arguments: [[0], [1], [0, 1]], [false, true])
    func areCleared(families: [Int], isCrowded: Bool) throws {
        try talk()
        var flows = try flowTable()
        if isCrowded { try crowd() }
        #expect(try flows.count() == flows.flows().count)
        let addresses = families.map { pods[0].addresses[$0] }
        let ranges = addresses.map { AddressRange(Prefix($0)) }
        #expect(try flows.clear(0xff00_0000, of: ranges) == 2 * families.count)
        let marks = Dictionary(grouping: try flows.flows().filter { $0.destinationPort == 53 }) { flow in
            addresses.contains(flow.source) || addresses.contains(flow.destination)
        }
        #expect(marks[true]?.map(\.mark) == Array(repeating: 0x00cd_1234, count: 2 * families.count))
        #expect(marks[false]?.count == 6 - 2 * families.count)
        #expect(marks[false]?.allSatisfy { $0.mark == 0xabcd_1234 } == true)
        #expect(try flows.clear(0xff00_0000, of: ranges) == 0, "there is nothing left to clear")
        #expect(try addresses.map { try flows.delete(of: $0) } == families.map { _ in 2 }, "they are tracked still")
    }
}
