import HostNetwork
import Lab
import OwnThreads
import Testing

@Suite("An address that two pods may use", .ownThreads) struct RevocationSharedTests {
    @Test("takes no permission with it when it moves from one to the other, and back", arguments: Family.allCases)
    func moves(family: Family) async throws {
        let shared = family == .v4 ? "10.1.0.200" : "fd00:1::c8"
        let host = try LabHost()
        let (first, second, client) = (try host.pod("first", 10), try host.pod("second", 11), try host.pod("client", 20))
        func ask(of pod: LabPod, _ group: ID<SecurityGroup>) -> Pod {
            pod.intent([group]) { $0.allowedAddressPairs = [AddressPair(address: Prefix(shared))] }
        }
        try await host.apply { intents in
            try intents.put("open", Rule(id: "out", direction: .egress), Rule(id: "in", direction: .ingress))
            try intents.put("first's", Rule(id: "a", direction: .ingress, protocol: .udp, ports: PortRange(7000, 7001)))
            try intents.put("second's", Rule(id: "b", direction: .ingress, protocol: .udp, ports: PortRange(7001, 7002)))
            try intents.put(ask(of: first, "first's"))
            try intents.put(ask(of: second, "second's"))
            try intents.put(client.intent(["open"]))
        }
        for pod in [first, second] { try pod.namespace.add(address: shared, to: "eth0") }
        let ports: [UInt16] = [7000, 7001, 7002]
        let servers = try [first, second].map { pod in try ports.map { try UDP(in: pod.namespace, at: shared, port: $0) } }
        let clients = try ports.map { _ in try UDP(in: client.namespace, at: client.address(family)) }

        for (holder, pod) in [(0, first), (1, second), (0, first), (1, second)] {
            try host.host.run("ip", "route", "replace", shared, "dev", pod.link.value)
            try host.host.run("ip", "neigh", "replace", shared, "lladdr", pod.mac.description, "dev", pod.link.value)
            for (index, asking) in clients.enumerated().reversed() {
                let isAllowed = index == 1 || index == 2 * holder
                let answering = servers[holder][index]
                let time = Duration.milliseconds(isAllowed ? 5000 : 20)
                #expect(try asking.reaches(answering, at: shared, within: time) == isAllowed, "\(ports[index]) at \(pod.id)")
                // What its holder says back on a flow that the other was allowed.
                let answers = try answering.reaches(asking, at: client.address(family), within: time)
                #expect(answers == isAllowed, "an answer from \(ports[index]) of \(pod.id)")
            }
        }
    }
}
