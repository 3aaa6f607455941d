import CLibNFTNL
import HostNetwork
import Netlink
import SystemPackage

extension NetlinkSocket {
    /// What one of Hawser's tables, chains or sets holds; nothing where that isn't there.
    ///
    /// The kernel says that the reading was interrupted whenever anybody commits anything, and others may do so all the time. But it goes by the
    /// position in what is asked for, where nobody else adds or removes; somebody who does so all the same is told of by an event, and it is
    /// read again.
    mutating func contents<Element>(
        _ type: nf_tables_msg_types, _ family: TableFamily, _ filter: (inout MessageWriter) -> Void, _ parse: (RawSpan) -> Element?
    ) throws(TransportError) -> [Element] {
        do throws(TransportError) {
            return try reading(
                .nftables(type),
                { message in
                    message.put(raw: family.header)
                    filter(&message)
                }
            ) { header, message in
                header.answers(type) ? parse(message) : nil
            }.elements
        } catch .refused(let error) where error.errno == .noSuchFileOrDirectory {
            return []
        }
    }

    /// One chain's rules, in order; none when it isn't there. All rules of a table at once take longer than chain by chain.
    mutating func rules(in chain: Named) throws(TransportError) -> [Firewall.ListedRule] {
        try contents(
            NFT_MSG_GETRULE, chain.family,
            { message in
                message.put(.ruleTable, Marks.table)
                message.put(.ruleChain, chain.name)
            }, Firewall.ListedRule.init)
    }

    /// The elements of one set as the kernel lists them; none when it isn't there.
    mutating func elements(of set: Named) throws(TransportError) -> [ListedElement] {
        try contents(
            NFT_MSG_GETSETELEM, set.family,
            { message in
                message.put(.elementsTable, Marks.table)
                message.put(.elementsSet, set.name)
            }, ListedElement.all
        ).flatMap(\.self)
    }
}

extension MessageHeader {
    /// What is got is told as what is new, by the number before it.
    func answers(_ request: nf_tables_msg_types) -> Bool {
        type == .nftables(nf_tables_msg_types(request.rawValue - 1))
    }
}
