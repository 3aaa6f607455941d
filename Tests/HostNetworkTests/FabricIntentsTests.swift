import HostNetwork
import Testing

@Suite("A network's fabric") struct FabricIntentsTests {
    private func decoded(_ more: Document) -> (network: Network?, rejected: Rejected?) {
        guard case .map(let fields) = more else { return (nil, nil) }
        let (intents, rejected) = IntentFile.decode(["networks": [.map([("id", "blue")] + fields)]])
        guard case .network(let network)? = intents.first else { return (nil, rejected.first) }
        return (network, rejected.first)
    }

    private static let subnet: Document = ["id": "four", "cidr": "10.1.0.0/24"]
    private static func subnet(tunnel: Int) -> Document { ["id": "four", "cidr": "10.1.0.0/24", "tunnelID": .int(tunnel)] }

    @Test(
        "left out is none, but for an isolated network that has a tunnel",
        arguments: [
            ([:], .none), (["isolated": true], .none), (["tunnelID": 7], .none), (["isolated": true, "tunnelID": 7], .vxlan),
            (["isolated": true, "subnets": [subnet(tunnel: 7)]], .vxlan), (["isolated": true, "tunnelID": 7, "fabric": "none"], .none),
            (["tunnelID": 7, "fabric": "vxlan"], .vxlan), (["fabric": "routed"], .routed), (["fabric": "ROUTED"], .routed),
        ] as [(Document, Fabric)])
    func inForce(document: Document, fabric: Fabric) throws {
        let network = try #require(decoded(document).network)
        #expect(network.fabricInForce == fabric)
        #expect(IntentFile.decode(IntentFile.encode([.network(network)])).intents == [.network(network)])
    }

    @Test(
        "is refused when it can't be, by its field, with the reason",
        arguments: [
            (["fabric": "geneve"], "network blue: fabric: geneve: unknown (valid: none or routed or vxlan)"),
            (
                ["fabric": "routed", "isolated": true],
                "network blue: fabric: routed: addresses of an isolated network may be another network's too, so they can't be routed between hosts (valid: vxlan or none, or isolated: false)"
            ),
            (
                ["fabric": "vxlan", "subnets": [subnet]],
                "network blue: tunnelID: missing: vxlan needs one, of the network or of each subnet (valid: 1 to 16777215)"
            ),
            (
                ["fabric": "vxlan", "subnets": [subnet(tunnel: 7), ["id": "six", "cidr": "fd00::/64"]]],
                "network blue: subnets[1].tunnelID: missing: the network has none, and other subnets have theirs (valid: 1 to 16777215)"
            ),
            (["tunnelID": 0], "network blue: tunnelID: 0: below 1 (valid: 1 to 16777215)"),
            (["subnets": [subnet(tunnel: 1 << 24)]], "network blue: subnets[0].tunnelID: 16777216: above 16777215 (valid: 1 to 16777215)"),
        ] as [(Document, String)])
    func refused(document: Document, sentence: String) {
        #expect(decoded(document).rejected?.description == sentence)
    }

    @Test("has tunnels of its own on a host: another network with one of them is refused, and names the first")
    func tunnels() throws {
        var intents = Intents()
        func network(_ id: ID<Network>, _ tunnel: Int, subnet: Int? = nil, fabric: Fabric = .vxlan) -> Intent {
            let subnet = Subnet(id: "four", cidr: .everything(.v4), tunnelID: subnet.flatMap { TunnelID($0) })
            return .network(Network(id: id, isolated: true, subnets: [subnet], fabric: fabric, tunnelID: TunnelID(tunnel)))
        }
        _ = try intents.upsert(network("blue", 7, subnet: 8))
        _ = try intents.upsert(network("blue", 8, subnet: 7))
        for tunnel in [7, 8] {
            let sentence = "network red: tunnelID: \(tunnel): network blue has this one (valid: one that no other network of this host has)"
            #expect(throws: Rejected.self) { try intents.upsert(network("red", tunnel)) }
            do { _ = try intents.upsert(network("red", tunnel)) } catch { #expect("\(error)" == sentence) }
            do { _ = try intents.upsert(network("red", 9, subnet: tunnel)) } catch { #expect(error.field == "subnets[0].tunnelID") }
        }
        // One that nothing is sent in is nobody's.
        _ = try intents.upsert(network("red", 7, fabric: .none))
        #expect(throws: Rejected.self) { try intents.upsert(network("red", 7)) }
        _ = try intents.upsert(network("blue", 10))
        _ = try intents.upsert(network("red", 7))
    }
}
