import HawserAPI
import Foundation
import Lab
import OwnThreads
import Testing

@Suite("The daemon, asked what is wrong", .serialized, .ownThreads) struct DaemonDoctorTests {
    private func doctor(_ host: DaemonHost) throws -> (status: Int32, view: DoctorView) {
        let outcome = try host.hawser("doctor", "--output", "json")
        return (outcome.status, try JSON.decode(DoctorView.self, from: Data(outcome.output.utf8)))
    }

    private func marks(_ view: DoctorView) throws -> DoctorView.Check {
        try #require(view.checks.first { $0.id == "marks" })
    }

    @Test(
        "finds others' rules that write its bits of marks, in the host's namespace and in a network's"
    )
    func marks() throws {
        let host = try DaemonHost()
        let (web, far) = (try host.pod("web", 10), try host.lab.namespace("far"))
        try host.start()
        let isolated = """
            networks: [{id: red, isolated: true, subnets: [{id: r, cidr: 10.1.0.0/24, gateway: 10.1.0.1}]}]
            pods: [{id: far, network: red, namespace: \(far.path), addresses: [10.1.0.10]}]
            """
        #expect(try host.apply(DaemonHost.groups([:]) + "pods:\n" + web.yaml("open")).status == 0)
        #expect(try host.apply(isolated).status == 0)
        let sound = try doctor(host)
        #expect(sound.status == 0 && sound.view.status == .ok, "\(sound.view)")
        #expect(sound.view.checks.map(\.id) == ["marks", "flowtables", "ipvs"])
        #expect(try host.hawser("doctor").output.contains("3 checks"))

        // What keeps the bits is none of its business.
        func others(_ rule: String) -> String {
            "table ip mangle { chain pre { type filter hook prerouting priority mangle; \(rule); }; }\n"
        }
        try host.host.run(["nft", "-f", "-"], input: others("ct mark set ct mark and 0xffff0000 or 0x1"))
        #expect(try doctor(host).status == 0)

        try host.host.run(
            ["nft", "-f", "-"], input: "flush table ip mangle\n" + others("tcp dport 443 ct mark set 0x1"))
        let (status, view) = try doctor(host)
        #expect(status == 1 && view.status == .fault)
        let check = try marks(view)
        #expect(
            check.status == .fault && check.found.count == 1 && check.remedy?.contains("0xffff0000") == true)
        let found = try #require(check.found.first)
        #expect(found.hasPrefix("table ip mangle, chain pre, handle ") && found.contains("changes 0xffff0000"))
        let table = try host.hawser("doctor")
        #expect(
            table.status == 1 && table.output.contains("table ip mangle") && table.output.contains("2 checks")
        )

        // Inside of a network's own namespace.
        try host.host.run("nft", "delete", "table", "ip", "mangle")
        #expect(try doctor(host).status == 0)
        try host.host.run(
            ["nsenter", "--net=\(host.domains)/hawser-red", "nft", "-f", "-"],
            input: others("ct mark set meta mark"))
        let inside = try doctor(host)
        #expect(inside.status == 1)
        #expect(try marks(inside.view).found.first?.contains("in the routing domain of network red") == true)
        #expect(try host.isReady(), "what is others' doesn't make the host unready")
    }
}
