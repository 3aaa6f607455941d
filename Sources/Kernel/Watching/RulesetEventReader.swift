import CLibMNL
import CLibNFTNL
import HostNetwork
import Netlink
import SystemPackage

/// Makes events of the multicast messages of nftables (`NFNLGRP_NFTABLES`): one for each of others' transactions that touched Hawser's tables.
///
/// Of a message about another table nothing is read but that table's name: its content may be of a kind that nobody here knows. The kernel tells
/// of a transaction's objects first and then of the generation that it made, with the process (`nf_tables_commit`, net/netfilter/nf_tables_api.c).
struct RulesetEventReader: Sendable {
    /// Of the socket whose transactions aren't told.
    private let port: UInt32
    private var touched = Suspects()

    init(except port: UInt32) { self.port = port }

    /// What was touched since is lost.
    mutating func start() { touched = Suspects() }

    mutating func event(_ header: MessageHeader, _ message: RawSpan) -> KernelEvent? {
        guard header.port != port, header.type.rawValue >> 8 == UInt16(NFNL_SUBSYS_NFTABLES) else { return nil }
        let type = UInt32(header.type.rawValue & 0xff)
        guard type == NFT_MSG_NEWGEN.rawValue else {
            note(type, message)
            return nil
        }
        guard touched.concernsRuleset else { return nil }
        defer { touched = Suspects() }
        return .ruleset(touched, by: Culprit(generation: message))
    }

    /// In every kind of message the first attribute is the table's name, and the second or third that of what is in it (linux/netfilter/nf_tables.h).
    private mutating func note(_ type: UInt32, _ message: RawSpan) {
        guard let family = TableFamily(number: message.number(at: MessageHeader.size)) else { return }
        var isOurs = false
        var name: String?
        message.attributes(after: nfgenmsg.self) { number, payload in
            if number == UInt16(NFTA_TABLE_NAME.rawValue) { isOurs = payload.isText(Marks.table) }
            if isOurs, number == Self.nameAttribute(of: type) { name = payload.text }
        }
        guard isOurs else { return }
        if let name { touched.holders.insert(Named(family, name)) } else { touched.tables.insert(family) }
    }

    /// Where a message names the chain or set that it is about; nil: it is about the table, or about what Hawser never makes.
    private static func nameAttribute(of type: UInt32) -> UInt16? {
        switch type {
        case NFT_MSG_NEWCHAIN.rawValue, NFT_MSG_DELCHAIN.rawValue: UInt16(NFTA_CHAIN_NAME.rawValue)
        case NFT_MSG_NEWRULE.rawValue, NFT_MSG_DELRULE.rawValue: UInt16(NFTA_RULE_CHAIN.rawValue)
        case NFT_MSG_NEWSET.rawValue, NFT_MSG_DELSET.rawValue: UInt16(NFTA_SET_NAME.rawValue)
        case NFT_MSG_NEWSETELEM.rawValue, NFT_MSG_DELSETELEM.rawValue: UInt16(NFTA_SET_ELEM_LIST_SET.rawValue)
        default: nil
        }
    }
}

extension Culprit {
    /// As the kernel names it with a generation (`NFTA_GEN_PROC_PID`, `NFTA_GEN_PROC_NAME`, since Linux 4.12).
    fileprivate init?(generation message: RawSpan) {
        var process: UInt32 = 0
        var name: String?
        message.attributes(after: nfgenmsg.self) { number, payload in
            if UInt32(number) == NFTA_GEN_PROC_PID.rawValue { process = payload.networkOrder() }
            if UInt32(number) == NFTA_GEN_PROC_NAME.rawValue { name = payload.text }
        }
        guard process > 0 else { return nil }
        self.init(process: Int32(bitPattern: process), name: name)
    }
}
