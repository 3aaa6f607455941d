import HostNetwork
import Testing

@Suite("A subnet's routes") struct RoutesIntentsTests {
    private func decoded(_ routes: Document, gateway: Document = "10.1.0.1", mac: Document = .null) -> (
        network: Network?, rejected: Rejected?
    ) {
        let subnets: Document = [
            ["id": "four", "cidr": "10.1.0.0/24", "gateway": gateway, "gatewayMAC": mac, "routes": routes],
            ["id": "other", "cidr": "10.1.1.0/24"], ["id": "six", "cidr": "fd00:1::/64"],
        ]
        let (intents, rejected) = IntentFile.decode(["networks": [["id": "blue", "subnets": subnets]]])
        guard case .network(let network)? = intents.first else { return (nil, rejected.first) }
        return (network, rejected.first)
    }

    @Test("are read with their destinations, next hops and priorities, and written back")
    func read() throws {
        let network = try #require(
            decoded(
                [
                    ["destination": "0.0.0.0/0", "nextHop": "10.1.0.5", "priority": 10],
                    ["destination": "0.0.0.0/0", "nextHop": "10.1.1.6"],
                    ["destination": "198.51.100.0/24", "nextHop": "10.1.0.1"], ["destination": "10.0.0.0/8", "nextHop": "10.1.0.5"],
                    ["destination": "0.0.0.0/1", "nextHop": "10.1.0.5"],
                ], mac: "02:00:00:00:00:aa"
            ).network)
        let routes = network.subnets[0].routes
        #expect(routes.map(\.priority) == [10, 0, 0, 0, 0] && routes[0].destination == .everything(.v4))
        #expect(network.subnets[0].gatewayMAC == MAC(0x0200_0000_00aa))
        #expect(network.nextHops == [.v4(0x0a01_0005), .v4(0x0a01_0106)], "a gateway is nobody's address")
        #expect(IntentFile.decode(IntentFile.encode([.network(network)])).intents == [.network(network)])
    }

    @Test(
        "are refused where they can't be, by field, with what would be valid",
        arguments: [
            (
                ["destination": "fd00:2::/64", "nextHop": "10.1.0.5"],
                "destination: fd00:2::/64: of another family than the subnet (valid: a prefix of IPv4)"
            ),
            (
                ["destination": "0.0.0.0/0", "nextHop": "fd00:1::5"],
                "nextHop: fd00:1::5: no pod of network blue can have it (valid: an address of 10.1.0.0/24 or 10.1.1.0/24)"
            ),
            (
                ["destination": "0.0.0.0/0", "nextHop": "192.0.2.1"],
                "nextHop: 192.0.2.1: no pod of network blue can have it (valid: an address of 10.1.0.0/24 or 10.1.1.0/24)"
            ),
            (
                ["destination": "0.0.0.0/0", "nextHop": "10.1.0.255"],
                "nextHop: 10.1.0.255: the broadcast address of subnet four (valid: another address of 10.1.0.0/24)"
            ),
            (
                ["destination": "10.1.1.0/25", "nextHop": "10.1.0.5"],
                "destination: 10.1.1.0/25: inside of subnet other, whose pods are reached without a route (valid: a prefix outside of the network's subnets, or one that holds them)"
            ),
            (
                ["destination": "224.0.0.0/8", "nextHop": "10.1.0.5"],
                "destination: 224.0.0.0/8: a multicast address (valid: a prefix of unicast addresses)"
            ),
            (["destination": "0.0.0.0/0", "nextHop": "10.1.0.5", "priority": -1], "priority: -1: below 0 (valid: 0 to 4294967295)"),
            (["destination": "0.0.0.0/0"], "nextHop: missing (valid: an address of the network)"),
        ] as [(Document, String)])
    func refused(route: Document, sentence: String) {
        #expect(decoded([route]).rejected?.description == "network blue: subnets[0].routes[0].\(sentence)")
    }

    @Test("are one for each destination and priority; what is in a subnet may lead through a gateway; and a MAC wants a gateway")
    func together() {
        let route: Document = ["destination": "0.0.0.0/0", "nextHop": "10.1.0.5"]
        #expect(
            decoded([route, route]).rejected?.description
                == "network blue: subnets[0].routes[1].priority: 0: another route to 0.0.0.0/0 has this priority (valid: one for each of them)"
        )
        #expect(decoded([["destination": "10.1.1.0/24", "nextHop": "10.1.0.1"]]).network != nil)
        #expect(
            decoded([], gateway: .null, mac: "02:00:00:00:00:aa").rejected?.description
                == "network blue: subnets[0].gatewayMAC: 02:00:00:00:00:aa: the subnet has no gateway (valid: a gateway, too)")
        #expect(decoded([], mac: "ff:ff:ff:ff:ff:ff").rejected?.field == "subnets[0].gatewayMAC")
    }
}
