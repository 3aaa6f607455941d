import Agent
import HostNetwork
import Kernel
import Lab
import Store

extension Bed {
    /// A pod's interface and binding are made: by Hawser on the host, by the same bytes on the twin, by `ip` and `nft` there for another pod.
    func attach(_ repetitions: Int, _ shadow: inout Shadow, _ replay: inout Replay) async throws -> [Series] {
        var parts = Parts("one pod attached", among: among, rival: "ip (3 runs) + nft -f")
        var other = Series("", by: "", among: "")
        let pod = region.comer(Region.comers[0])
        let rival = twinRegion.comer(Region.comers[1])
        let mine = region.comer(Region.comers[1])
        for _ in 0..<repetitions {
            _ = recorder.take()
            parts.note(try await ask(Change(upserts: [.pod(pod)]), &parts.hawser))
            let made = recorder.take()
            try parts.replay.time { try replay.attach(made, in: twinRegion.namespace(Region.comers[0])) }

            try parts.store.time { try store.commit(upserts: [.pod(pod)], deletions: [], source: Source.control) }
            _ = try shadow.change(.pod(pod), &parts.derive)
            _ = try shadow.change(.pod(pod), removes: true, &other)
            let policy = try text(shadow.change(.pod(mine), &other), shadow)
            let leaving = try text(shadow.change(.pod(mine), removes: true, &other), shadow)
            try parts.nft.time { try byPrograms(rival, policy) }

            _ = try await ask(Change(deletions: [pod.id.intent]), &other)
            let gone = recorder.take()
            try store.commit(upserts: [], deletions: [pod.id.intent], source: Source.control)
            for id in [pod.id, rival.id] { try twin.run("ip", "link", "del", LinkName(of: id).value) }
            try replay.commit(gone)
            try twin.run(["nft", "-f", "-"], input: leaving)
        }
        return parts.all
    }

    private func text(_ plan: Plan, _ shadow: Shadow) throws -> String {
        guard let text = NftText(set: shadow.set, replacing: []).text(of: plan.parts.firewall) else {
            throw Replay.Refused(text: "the pod's binding changes more than elements")
        }
        return text
    }

    /// The fewest processes that it takes: the pair, the policy, the host's side, the pod's side.
    private func byPrograms(_ pod: Pod, _ policy: String) throws {
        let link = LinkName(of: pod.id).value
        let gateways = Region.network.subnets.compactMap(\.gateway)
        let pair = """
            link add \(link) mtu 1500 address \(Marks.hostMAC) group \(Marks.linkGroup) type veth peer name eth0 address \(pod.mac) mtu 1500 netns \(pod.namespace ?? "")
            link set \(link) alias \(pod.id) addrgenmode none

            """
        let host =
            gateways.map { "addr add \(Prefix($0)) dev \(link)\($0.family == .v6 ? " nodad" : "")\n" }.joined() + "link set \(link) up\n"
            + pod.addresses.map {
                "neigh add \($0) lladdr \(pod.mac) dev \(link) nud permanent\nroute add \(Prefix($0)) dev \(link) proto 104\n"
            }
            .joined()
        let side =
            "link set lo up\nlink set eth0 up\n"
            + pod.addresses.map { "addr add \(Prefix($0)) dev eth0\($0.family == .v6 ? " nodad" : "")\n" }.joined()
            + gateways.map {
                "neigh add \($0) lladdr \(Marks.hostMAC) dev eth0 nud permanent\nroute add default via \($0) dev eth0 onlink\n"
            }.joined()
        try twin.run(["ip", "-batch", "-"], input: pair)
        try twin.run(["nft", "-f", "-"], input: policy)
        try twin.run(["ip", "-batch", "-"], input: host)
        let place = (pod.namespace ?? "").split(separator: "/").last.map(String.init) ?? ""
        try twin.run(["ip", "-n", place, "-batch", "-"], input: side)
    }
}
