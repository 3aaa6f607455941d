import CLibMNL
import CLibNFTNL
package import HostNetwork
import Netlink
import SystemPackage

/// How much of others' tables is read for one look at them: their rules may be any number, and change all the
/// time.
package struct ReadingBudget: Sendable {
    /// Chains, rules and flowtables.
    package private(set) var left: Int
    private let end: ContinuousClock.Instant

    package init(objects: Int = 500_000, time: Duration = .seconds(3)) {
        left = objects
        end = .now + time
    }

    /// Takes one; false where there is none left.
    mutating func take() -> Bool {
        guard left > 0 else { return false }
        left -= 1
        // The clock is asked now and then: a rule takes less than that does.
        return left % 256 != 0 || .now < end
    }

    var isOver: Bool { left <= 0 || .now >= end }

    /// Why it is at its end.
    var exhausted: String { left > 0 ? "it takes too long" : "there are too many rules" }
}

/// Reads what other programs have in one network namespace: nftables rules that change flows' marks or add
/// flows to a flowtable, flowtables, and the services of IPVS.
///
/// It is for somebody who asks (`hawser doctor`), never for the daemon itself, which reads nothing of others'
/// tables but their names. Nothing is read by libnftnl, which ends the process at what it doesn't expect.
package struct StrangersReader: ~Copyable {
    private var socket: NetlinkSocket
    private let services: String?
    /// The bits of flows' marks that matter.
    private let mask: UInt32

    /// Opens what is read in `namespace`. To be used once.
    package init(in namespace: borrowing NetworkNamespace, mask: UInt32) throws(OpenFailure) {
        var services: FileDescriptor?
        do throws(OpenFailure) {
            socket = try NetlinkSocket(.netfilter, in: namespace) {
                // What the file shows is of the namespace in which it is opened.
                services = try? unsafe .open("/proc/thread-self/net/ip_vs", .readOnly, options: .closeOnExec)
            }
        } catch {
            try? services?.close()
            throw error
        }
        self.services = services.flatMap(Self.text)
        self.mask = mask
    }

    /// Reads all there is, as far as the budget goes.
    package mutating func read(_ budget: inout ReadingBudget) -> Strangers {
        var strangers = Strangers()
        strangers.services = services.map { VirtualServices(listing: $0) }
        // One look may go through a thousand namespaces.
        guard !budget.isOver else {
            strangers.unread = budget.exhausted
            return strangers
        }
        do throws(TransportError) {
            if try !readAll(&strangers, &budget) { strangers.unread = budget.exhausted }
        } catch {
            strangers.unread = "\(error)"
        }
        return strangers
    }

    /// Whether the budget lasted.
    private mutating func readAll(
        _ strangers: inout Strangers, _ budget: inout ReadingBudget
    ) throws(TransportError) -> Bool {
        guard try readFlowtables(&strangers, &budget) else { return false }
        var chains: [ForeignChain] = []
        let request = Self.header(0)
        let areAll = try socket.skim(.nftables(NFT_MSG_GETCHAIN), { $0.put(raw: request) }) { header, message in
            guard budget.take() else { return false }
            if header.answers(NFT_MSG_GETCHAIN), let chain = ForeignChain(message) { chains.append(chain) }
            return true
        }
        guard areAll else { return false }
        // Chain by chain: for each datagram the kernel goes through all rules before it
        // (`__nf_tables_dump_rules`, net/netfilter/nf_tables_api.c), so a table as a whole takes far longer.
        // And Hawser's own chains are none of others'.
        for chain in chains {
            do throws(TransportError) {
                guard try readRules(of: chain, &strangers, &budget) else { return false }
            } catch .refused(let error) where error.errno == .noSuchFileOrDirectory {
                continue  // it is gone
            }
        }
        return true
    }

    private mutating func readFlowtables(
        _ strangers: inout Strangers, _ budget: inout ReadingBudget
    ) throws(TransportError) -> Bool {
        let request = Self.header(0)
        return try socket.skim(.nftables(NFT_MSG_GETFLOWTABLE), { $0.put(raw: request) }) { header, message in
            guard budget.take() else { return false }
            if header.answers(NFT_MSG_GETFLOWTABLE), let flowtable = ForeignRule.flowtable(message) {
                strangers.flowtables.add(flowtable)
            }
            return true
        }
    }

    private mutating func readRules(
        of chain: ForeignChain, _ strangers: inout Strangers, _ budget: inout ReadingBudget
    ) throws(TransportError) -> Bool {
        let (request, mask) = (Self.header(chain.family), mask)
        return try socket.skim(
            .nftables(NFT_MSG_GETRULE),
            { message in
                message.put(raw: request)
                message.put(.ruleTable, chain.table)
                message.put(.ruleChain, chain.name)
            }
        ) { header, message in
            guard budget.take() else { return false }
            guard header.answers(NFT_MSG_GETRULE), let rule = ForeignRule(message) else { return true }
            if rule.changes & mask != 0 { strangers.markers.add(.init(rule.place, changes: rule.changes)) }
            if let flowtable = rule.flowtable { strangers.offloaders.add(.init(rule.place, to: flowtable)) }
            return true
        }
    }

    private static func header(_ family: UInt8) -> nfgenmsg {
        nfgenmsg(nfgen_family: family, version: UInt8(NFNETLINK_V0), res_id: 0)
    }

    /// The beginning of a file, closed afterwards: a mebibyte is ten thousand services.
    private static func text(of file: FileDescriptor) -> String {
        defer { try? file.close() }
        var bytes: [UInt8] = []
        while bytes.count < 1 << 20 {
            let read = try? file.read(filling: 64 << 10)
            guard let read, !read.isEmpty else { break }
            bytes += read
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension FileDescriptor {
    /// At most so many bytes; none at the end.
    fileprivate func read(filling count: Int) throws -> [UInt8] {
        try unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
            length = unsafe try read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
