import HostNetwork
import Kernel
import Lab
import Testing

@Suite("A pod's interface") struct LinksTests {
    @Test("is exactly what was asked for, and carries packets in both families")
    func isMade() throws {
        let place = try LinksLab()
        let pods = try (10...11).map { SamplePod(id: "web-\($0)", namespace: try place.lab.namespace("web-\($0)"), number: $0) }
        var table = try place.table()
        #expect(table.apply(pods.flatMap(\.attach)) == [])
        let expected = Dictionary(uniqueKeysWithValues: pods.map { ($0.name, $0.place) })
        #expect(try Set(table.observe(expected)) == Set(pods.flatMap(\.objects)))
        for (ping, address) in [
            (pods[0].ipv4, pods[1].ipv4), (pods[0].ipv6, pods[1].ipv6), (pods[0].ipv4, "10.1.0.1"), (pods[0].ipv6, "fd00:1::1"),
        ] {
            #expect(try Echo(in: pods[0].namespace, at: ping).reaches(address, within: .seconds(2)), "\(ping) to \(address)")
        }
    }
}
