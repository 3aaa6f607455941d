import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

/// Of so many sets several are read at a time.
@Suite("A host with hundreds of sets", .ownThreads) struct ManySetsTests {
    @Test("is read whole, and what somebody takes from one of them and puts into another is seen")
    func everySet() async throws {
        let host = try LabHost(owned: false)
        let pod = try host.pod("web-0")
        try await host.apply { intents in
            let remotes = (0..<80).map { ID<SecurityGroup>("tier-\($0)") }
            for remote in remotes { try intents.put(SecurityGroup(id: remote, network: "blue", rules: [])) }
            let rules = remotes.flatMap { remote in
                [100, 200, 300, 400, 500].map { port in Rule.in("\(remote)-\(port)", .tcp, port...(port + 5), .group(remote)) }
            }
            try intents.put(SecurityGroup(id: "web", network: "blue", rules: rules))
            try intents.put(pod.intent(["web"]))
        }
        let sets = host.believed.entries.values.compactMap { if case .set(let set) = $0.object { set } else { nil } }
        #expect(sets.count > 300)
        try host.observe()

        let services = sets.filter { $0.counts && $0.id.name.contains("tier-") }.sorted { $0.id < $1.id }
        let (robbed, enriched) = (try #require(services.first), try #require(services.last))
        try host.host.run("nft", "delete", "element", "inet", "hawser", robbed.id.name, "{ 300-305 . tcp }")
        try host.host.run("nft", "add", "element", "inet", "hawser", enriched.id.name, "{ 7 . udp }")
        let seen = host.believed.differences(to: try host.plane.observe(expecting: host.desired.state))
        #expect(seen.count == 2, "\(seen)")
        #expect(seen.contains { $0.entry.object.container == robbed.id && $0.kind == .missing })
        #expect(seen.contains { $0.entry.object.container == enriched.id && $0.kind == .extra })
    }
}
