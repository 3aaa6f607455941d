import CLibMNL
import CLibNFTNL
package import HostNetwork
package import Netlink
import SystemPackage

/// The nftables half of a host's network: one socket, open for good, for closing one after deletions waits for a grace period.
package struct Firewall: ~Copyable {
    var socket: NetlinkSocket
    /// `NFT_TABLE_F_OWNER` and `_PERSIST` where the kernel knows them: nobody else can change the tables, and they stay when
    /// this process ends.
    private(set) var tableFlags: UInt32
    /// `NFT_TABLE_F_PERSIST` of tables that are there and have it from another daemon: a table can't lose it (`nf_tables_updtable`).
    var persisting: [TableFamily: UInt32] = [:]

    /// What a transaction cost.
    package struct Figures: Hashable, Sendable {
        package var messages = 0
        package var bytes = 0
        /// From sending to the last answer.
        package var time: Duration = .zero
        /// Nobody knows whether it is in force.
        package var isUncertain = false

        package init() {}
    }

    /// - Parameter owned: whether the tables may be taken as this process's own, where the kernel can do so.
    package init(owned: Bool = true) throws(TransportError) {
        socket = try NetlinkSocket(.netfilter, space: 16 << 20)
        tableFlags = owned ? Self.ownerFlags : 0
    }

    /// Whether it makes its tables its own.
    package var isOwner: Bool { tableFlags != 0 }

    private static let ownerFlags: UInt32 = 0x2 | persistFlag  // NFT_TABLE_F_OWNER (Linux 5.12)
    static let persistFlag: UInt32 = 0x4  // NFT_TABLE_F_PERSIST (6.9)

    /// Makes one transaction of the operations, in the order given: all of them are in force when this returns nothing, none otherwise.
    package mutating func apply(_ operations: [HostNetwork.Operation], _ figures: inout Figures) -> [Refusal] {
        guard !operations.isEmpty else { return [] }
        do throws(TransportError) {
            return try attempt(operations, &figures)
        } catch {
            figures.isUncertain = error.isUncertain
            return operations.first.map { [Refusal($0, errno: error.errno.rawValue, explanation: "\(error)")] } ?? []
        }
    }

    private mutating func attempt(_ operations: [HostNetwork.Operation], _ figures: inout Figures) throws(TransportError) -> [Refusal] {
        let handles = try handles(of: operations)
        // A rule that isn't there needs no removal.
        let operations = operations.filter { operation in
            if operation.action == .remove, case .rule(let rule) = operation.object { handles[rule] != nil } else { true }
        }
        let sequences = socket.sequences(FirewallBatch.messages(for: operations, handles: handles))
        let batch = FirewallBatch(operations, sequences: sequences, flags: flags(of: operations), handles: handles)
        guard !batch.carried.isEmpty else { return [] }
        let clock = ContinuousClock()
        let start = clock.now
        let errors = try socket.transact(batch.bytes.span, sequences, end: batch.lastAcknowledged)
        figures.time += clock.now - start
        figures.messages += batch.messageCount
        figures.bytes += batch.bytes.count
        if errors.isEmpty { return [] }
        if dropsUnknownFlags(after: errors, operations) { return try attempt(operations, &figures) }
        return errors.flatMap { error in
            let asked = batch.operations(of: error.sequence)
            return (asked.isEmpty ? operations[...].prefix(1) : asked).map { operation in
                Refusal(operation, errno: error.errno.rawValue, explanation: error.words)
            }
        }
    }

    /// What tables are made with; one that is there keeps what it can't lose.
    private func flags(of operations: [HostNetwork.Operation]) -> [TableFamily: UInt32] {
        var flags = persisting.mapValues { tableFlags | $0 }
        for family in TableFamily.allCases {
            let isReplaced = operations.contains { $0.action == .remove && $0.object == .table(family) }
            if isReplaced || flags[family] == nil { flags[family] = tableFlags }
        }
        return flags
    }

    /// A kernel that doesn't know the owner's flags refuses the table; it gets one without.
    private mutating func dropsUnknownFlags(after errors: [KernelError], _ operations: [HostNetwork.Operation]) -> Bool {
        let refusedFlags = errors.contains { [.notSupported, .notSupportedOnSocket, .invalidArgument].contains($0.errno) }
        let makesTable = operations.contains { if case .table = $0.object { $0.action != .remove } else { false } }
        guard refusedFlags, makesTable, tableFlags != 0 else { return false }
        tableFlags = 0
        return true
    }

    /// The generation of the ruleset, of all tables: it counts every commit, whoever made it (`NFT_MSG_GETGEN`).
    package mutating func generation() throws(TransportError) -> UInt32 {
        var generation: UInt32 = 0
        var request = Batch()
        request.add(.nftables(NFT_MSG_GETGEN)) { $0.put(raw: nfgenmsg(nfgen_family: 0, version: UInt8(NFNETLINK_V0), res_id: 0)) }
        try socket.ask(&request, absences: []) { _, _, message in
            message.attributes(after: nfgenmsg.self) { number, value in
                if number == UInt16(NFTA_GEN_ID.rawValue) { generation = value.networkOrder() }
            }
        }
        return generation
    }

    /// The numbers that the kernel gave to rules which are to be removed.
    private mutating func handles(of operations: [HostNetwork.Operation]) throws(TransportError) -> [FilterRule: [UInt64]] {
        var wanted: [Named: [FilterRule]] = [:]
        for operation in operations where operation.action == .remove {
            if case .rule(let rule) = operation.object { wanted[rule.chain, default: []].append(rule) }
        }
        var handles: [FilterRule: [UInt64]] = [:]
        for (chain, rules) in wanted {
            var fingerprints: [String: FilterRule] = [:]
            for rule in rules { fingerprints[Fingerprint.of(rule.statements, in: chain)] = rule }
            for rule in try socket.rules(in: chain) {
                if let known = fingerprints[rule.fingerprint] { handles[known, default: []].append(rule.handle) }
            }
        }
        return handles
    }
}
