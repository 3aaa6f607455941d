import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("A daemon that comes back with other settings of the host", .ownThreads) struct PolicyHostRestartTests {
    /// A flow that was begun before, and the two ways in which it may be spoken.
    private struct Talk {
        var name: String
        var asking: UDP
        var answering: UDP
        var addresses: (asking: String, answering: String)
        var isFromPod: Bool
        var hasRule: Bool

        /// Whether what asks, and what answers, arrives under these settings.
        func passes(_ policy: HostPolicy) -> (asking: Bool, answering: Bool) {
            guard isFromPod else {
                let passes = policy.toPods == .allow || hasRule
                return (passes, passes)
            }
            let passes = policy.fromPods == .allow || policy.fromPods == .rules && hasRule
            // A host that may send its pods what it likes may also go on with what it isn't asked any more.
            return (passes, passes || policy == HostPolicy(toPods: .allow, fromPods: .replies))
        }
    }

    @Test(
        "holds what was begun before to the new ones, both ways", arguments: PolicyHostSettingsTests.policies,
        PolicyHostSettingsTests.policies)
    func settings(before: HostPolicy, after: HostPolicy) async throws {
        let host = try LabHost(layout: Layout(host: before))
        try await host.apply { try $0.put("some", .out("out", .udp, 53...53), .in("in", .udp, 80...80)) }
        let pod = try await host.pods("web", groups: ["some"])[0]
        var talks: [Talk] = []
        for family in Family.allCases {
            let (own, gateway) = (pod.address(family), LabHost.gateways[family == .v4 ? 0 : 1])
            for (isFromPod, port) in [(true, 53), (true, 54), (false, 80), (false, 81)] as [(Bool, UInt16)] {
                let inside = isFromPod ? (pod.namespace, host.host) : (host.host, pod.namespace)
                let addresses = isFromPod ? (asking: own, answering: gateway) : (asking: gateway, answering: own)
                let talk = try Talk(
                    name: "\(isFromPod ? "from the pod" : "from the host") to \(port), \(family)",
                    asking: UDP(in: inside.0, at: addresses.asking), answering: UDP(in: inside.1, at: addresses.answering, port: port),
                    addresses: addresses, isFromPod: isFromPod, hasRule: port == 53 || port == 80)
                guard talk.passes(before).asking else { continue }
                #expect(try reaches(talk) == (true, true), "\(talk.name)")
                talks.append(talk)
            }
        }

        let intents = host.desired.intents
        let epochs = HostState(try host.plane.stamps()).epochs(of: intents.pods.keys, in: .standard)
        var desired = Desired(intents: intents, layout: Layout(host: after), attachable: [pod.id], epochs: epochs)
        let plan = desired.plan(from: try host.plane.observe(expecting: desired.state))
        #expect(plan.isEmpty == (before == after))
        #expect(host.plane.apply(plan).refusals.map(\.description) == [])
        for isSettled in [false, true] {
            for talk in talks {
                let (wanted, came) = (talk.passes(after), try reaches(talk, expecting: talk.passes(after)))
                #expect(came == wanted, "\(talk.name), \(isSettled ? "later" : "at once")")
            }
            if isSettled { break }
            await GracePeriod.wait()
            #expect(host.plane.settle(plan.stamps).refusals.map(\.description) == [])
        }
        let rest = Plan(from: try host.plane.observe(expecting: desired.state), to: desired.state)
        #expect((rest.steps + rest.stamps).map(\.text) == [])
    }

    /// Who asks speaks first, then who answers.
    private func reaches(_ talk: Talk, expecting wanted: (asking: Bool, answering: Bool) = (true, true)) throws -> (Bool, Bool) {
        func time(_ passes: Bool) -> Duration { passes ? .seconds(10) : .milliseconds(40) }
        let asked = try talk.asking.reaches(talk.answering, at: talk.addresses.answering, within: time(wanted.asking))
        let answered = try talk.answering.reaches(talk.asking, at: talk.addresses.asking, within: time(wanted.answering))
        return (asked, answered)
    }
}
