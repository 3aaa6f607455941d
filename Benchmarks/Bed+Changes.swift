import Agent
import HostNetwork
import Kernel
import Lab
import Store

extension Bed {
    /// The parts that the time of one change divides into.
    struct Parts {
        var hawser: Series
        var replay: Series
        var nft: Series
        var kernel: Series
        var store: Series
        var derive: Series

        init(_ what: String, among: String, rival: String) {
            hawser = Series(what, by: "hawser", among: among)
            replay = Series(what, by: Figures.limit, among: among)
            nft = Series(what, by: rival, among: among)
            kernel = Series(what, by: "  of it: kernel", among: among)
            store = Series(what, by: "  of it: store, alone", among: among)
            derive = Series(what, by: "  of it: judge, derive, plan", among: among)
        }

        var all: [Series] { [hawser, replay, nft, kernel, store, derive] }

        mutating func note(_ report: Report) {
            kernel.add(.microseconds(report.answers.first?.kernelMicroseconds ?? 0))
        }
    }

    /// One change of the firewall's alone: Hawser on the host, its bytes on the twin, the same for `other` on the twin by `nft`.
    ///
    /// - Parameter replacing: what turns the text of the change into that of the other's.
    func change(
        _ intent: Intent, removes: Bool = false, _ shadow: inout Shadow, _ replay: inout Replay, replacing: [(String, String)],
        _ parts: inout Parts
    ) async throws {
        _ = recorder.take()
        let report = try await ask(removes ? Change(deletions: [intent.id]) : Change(upserts: [intent]), &parts.hawser)
        parts.note(report)
        let sent = recorder.take()
        try parts.replay.time { try replay.commit(sent) }
        try parts.store.time {
            try store.commit(upserts: removes ? [] : [intent], deletions: removes ? [intent.id] : [], source: Source.control)
        }
        let plan = try shadow.change(intent, removes: removes, &parts.derive)
        let text = NftText(set: shadow.set, replacing: replacing + NftText.ownEpochs)
        guard let now = text.text(of: plan.parts.firewall), let later = text.text(of: plan.stamps) else {
            throw Replay.Refused(text: "\(intent.id) changes more than elements and chains: \(plan.steps.map(\.text))")
        }
        try parts.nft.time { _ = try twin.run(["nft", "-f", "-"], input: now) }
        await settle()
        try replay.commit(recorder.take())
        if !plan.stamps.isEmpty { try twin.run(["nft", "-f", "-"], input: later) }
    }

    /// A pod is bound to two other groups, and back.
    func rebinding(_ repetitions: Int, _ shadow: inout Shadow, _ replay: inout Replay) async throws -> [Series] {
        var parts = Parts("rebinding to two other groups", among: among, rival: "nft -f")
        let names = Region.movers.map { LinkName(of: ID<Pod>($0)).value }
        // It ends where it began.
        for turn in 0..<(repetitions + repetitions % 2) {
            let pod = region.mover(Region.movers[0], to: turn % 2 == 0)
            try await change(.pod(pod), &shadow, &replay, replacing: [(names[0], names[1])], &parts)
        }
        return parts.all
    }

    /// A pod of another host joins a group that rules name, and leaves it.
    func members(_ repetitions: Int, _ shadow: inout Shadow, _ replay: inout Replay) async throws -> [Series] {
        var added = Parts("one member added", among: "\(region.members) members", rival: "nft -f")
        var removed = Parts("one member removed", among: "\(region.members) members", rival: "nft -f")
        let neighbor = region.neighbor(region.members)
        let other = region.neighbor(region.members + 1)
        // Pods that lose something get a new epoch: here the two that read the group, there two others.
        let links = [(0, 2), (region.pods - 1, 3)].map { (LinkName(of: ID("pod-\($0)")).value, LinkName(of: ID("pod-\($1)")).value) }
        let replacing = [("\(neighbor.addresses[0])", "\(other.addresses[0])")] + links
        for _ in 0..<repetitions {
            try await change(.neighbor(neighbor), &shadow, &replay, replacing: replacing, &added)
            try await change(.neighbor(neighbor), removes: true, &shadow, &replay, replacing: replacing, &removed)
        }
        return added.all + removed.all
    }

    /// What is in force is asked for again: everything, and one pod.
    func again(_ repetitions: Int) async throws -> [Series] {
        var all = Series("everything asked for again", by: "hawser", among: among)
        var one = Series("one pod asked for again", by: "hawser", among: among)
        let change = Change(upserts: region.intents)
        _ = recorder.take()
        for _ in 0..<repetitions {
            _ = try await ask(change, &all)
            _ = try await ask(Change(upserts: [.pod(region.pod(0))]), &one)
        }
        guard recorder.take().isEmpty else { throw Replay.Refused(text: "asking again sent something to the kernel") }
        return [all, one]
    }

    var among: String { "\(region.pods) pods" }
}
