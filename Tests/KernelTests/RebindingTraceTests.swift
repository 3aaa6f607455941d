import HostNetwork
import Kernel
import Lab
import Netlink
import OwnThreads
import Testing

@Suite("A rebinding, as a watcher of nftables sees it", .ownThreads) struct RebindingTraceTests {
    /// What one event of nftables says.
    private struct Event: Equatable {
        var isAddition: Bool
        /// The set of the element; empty for other objects.
        var set = ""
        var generation: UInt32?
    }

    @Test(
        "unbinds, binds and attaches, in this order and in one generation",
        arguments: [["b"], ["b", "new"], ["new", "newer", "newest"]])
    func trace(groups: [String]) async throws {
        let host = try LabHost()
        try await host.apply { intents in
            for group in ["a", "b", "new", "newer", "newest"] { try intents.put(ID(group), Rule(id: "in-\(group)", direction: .ingress)) }
        }
        let pod = try await host.pods("web", groups: ["a"])[0]
        _ = try await host.pods("other", groups: ["b"])
        // NFNLGRP_NFTABLES (linux/netfilter/nfnetlink.h)
        var watcher = try host.host.inside { try NetlinkSocket(.netfilter, groups: [7], space: 4 << 20) }

        let outcome = try host.change { try $0.put(pod.intent(groups.map { ID($0) })) }
        var events: [Event] = []
        _ = try watcher.drain { header, message in events.append(Self.event(header, message)) }

        // Each transaction ends with its generation; what a new group needs may come in one before.
        let generations = events.indices.filter { events[$0].generation != nil }
        let last = try #require(generations.last)
        #expect(last == events.indices.last)
        #expect(generations.count <= 2)
        let binding = Array(events[(generations.dropLast().last.map { $0 + 1 } ?? 0)..<last])
        let earlier = events.prefix(events.count - binding.count - 1)
        #expect(!earlier.contains { Self.isSlot($0.set) || $0.set.hasPrefix("fresh-") || !$0.isAddition })

        let unbind = binding.indices.filter { !binding[$0].isAddition && Self.isSlot(binding[$0].set) }
        let bind = binding.indices.filter { binding[$0].isAddition && Self.isSlot(binding[$0].set) }
        let attach = binding.indices.filter { binding[$0].isAddition && binding[$0].set.hasPrefix("fresh-") }
        // Sender's and receiver's half, of each packets and replies; of each the link, and its two addresses.
        #expect(unbind.count >= 4 && bind.count >= 4 && attach.count == 2 * (1 + 2))
        #expect(try #require(unbind.last) < #require(bind.first))
        #expect(try #require(bind.last) < #require(attach.first))
        #expect(binding.contains { !$0.isAddition && $0.set.hasPrefix("fresh-") })
        #expect(events[last].generation == outcome.applied.generation)
    }

    private static func isSlot(_ set: String) -> Bool {
        if case .slot? = BaseSet(Named(.inet, set)) { true } else { false }
    }

    /// `NFT_MSG_…` and their attributes: linux/netfilter/nf_tables.h.
    private static func event(_ header: MessageHeader, _ message: RawSpan) -> Event {
        let (newElement, deletedElement, newGeneration): (UInt16, UInt16, UInt16) = (12, 14, 15)
        let additions: Set<UInt16> = [0, 3, 6, 9, newElement, newGeneration, 18]
        let number = header.type.rawValue & 0xff
        var event = Event(isAddition: additions.contains(number))
        message.attributes(after: Family.self) { attribute, value in
            // NFTA_SET_ELEM_LIST_SET and NFTA_GEN_ID
            if attribute == 2, number == newElement || number == deletedElement { event.set = value.text }
            if attribute == 1, number == newGeneration { event.generation = value.networkOrder() }
        }
        return event
    }

    /// `struct nfgenmsg` (linux/netfilter/nfnetlink.h).
    private struct Family: BitwiseCopyable {
        var family: UInt8
        var version: UInt8
        var resource: UInt16
    }
}
