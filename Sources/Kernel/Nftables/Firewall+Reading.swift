import CLibNFTNL
package import HostNetwork
package import Netlink
import SystemPackage

extension Firewall {
    /// Lists what of Hawser's tables is there, and does something else meanwhile where that takes long.
    ///
    /// - Parameter suspects: the tables, chains and sets to look at; nil: all of them.
    package mutating func list<Other>(
        only suspects: Suspects? = nil, beside other: () throws -> Other
    ) throws -> (listing: Listing, other: Other) {
        var listing = try outline(suspects)
        let holders = listing.holders
        let readers = listing.isLong ? ContentReaders(holders, beside: socket) : nil
        let other = try other()
        let read = try readers?.take()
        for (index, holder) in holders.enumerated() { listing.put(try read?[index] ?? socket.contents(of: holder), at: index) }
        return (listing, other)
    }

    /// All but what the chains and sets hold.
    private mutating func outline(_ suspects: Suspects?) throws(TransportError) -> Listing {
        var listing = Listing(suspects: suspects)
        for family in TableFamily.allCases where suspects?.concerns(family) ?? true {
            guard let flags = try flags(ofTable: family) else { continue }
            // One that sleeps judges nothing: it is as good as missing, and is made to wake by being made.
            let isAwake = flags & UInt32(NFT_TABLE_F_DORMANT.rawValue) == 0
            if isAwake, suspects?.tables.contains(family) ?? true { listing.tables.append(family) }
            for chain in try chains(of: family) where suspects?.covers(.chain(chain)) ?? true {
                listing.chains.append((chain, []))
            }
            for (set, comment) in try sets(of: family) where suspects?.covers(.set(set)) ?? true {
                listing.sets.append((set, comment, []))
            }
        }
        return listing
    }

    /// The flags of Hawser's table; nil when there is none.
    private mutating func flags(ofTable family: TableFamily) throws(TransportError) -> UInt32? {
        let found = try list(NFT_MSG_GETTABLE, family) { message in
            var name = ""
            var flags: UInt32 = 0
            message.attributes(after: nfgenmsg.self) { number, value in
                if number == UInt16(NFTA_TABLE_NAME.rawValue) { name = value.text }
                if number == UInt16(NFTA_TABLE_FLAGS.rawValue) { flags = value.networkOrder() }
            }
            return name == Marks.table ? flags : nil
        }.first
        persisting[family] = found.map { $0 & Self.persistFlag }
        return found
    }

    private mutating func chains(of family: TableFamily) throws(TransportError) -> [Chain] {
        try list(NFT_MSG_GETCHAIN, family) { Chain(listed: $0, in: family) }
    }

    private mutating func sets(of family: TableFamily) throws(TransportError) -> [(NamedSet, String?)] {
        try socket.contents(NFT_MSG_GETSET, family, { $0.put(.setTable, Marks.table) }) { NamedSet.listed($0, in: family) }
    }

    /// A list of everybody's. The kernel goes by the position in it, which others' changes shift: what was interrupted is read again.
    private mutating func list<Element: Equatable>(
        _ type: nf_tables_msg_types, _ family: TableFamily, _ parse: (RawSpan) -> Element?
    ) throws(TransportError) -> [Element] {
        try socket.dump(.nftables(type), { $0.put(raw: family.header) }) { header, message in
            header.answers(type) ? parse(message) : nil
        }
    }
}

extension Firewall {
    /// The elements of one set; none when it isn't there.
    package mutating func elements(of set: NamedSet) throws(TransportError) -> [Entry] {
        ListedElement.elements(of: set, try socket.elements(of: set.id)).map { Entry(.element($0), because: Layout.because, comment: $1) }
    }

    /// What these elements and rules have counted, told by what they match and not by their comments: those are of the moment in which
    /// they were made, and a rule may have another id since.
    package mutating func counters(of objects: [Object]) throws(TransportError) -> [Object.Key: Counter] {
        var sets: [Named: Set<[UInt8]>] = [:]
        var chains: [Named: [String: FilterRule]] = [:]
        for object in objects {
            switch object {
            case .element(let element): sets[element.set, default: []].insert(element.key)
            case .rule(let rule): chains[rule.chain, default: [:]][Fingerprint.of(rule.statements, in: rule.chain)] = rule
            case .link, .address, .route, .neighbor, .tunnel, .forwarding, .tableRule, .table, .chain, .set: continue
            }
        }
        var counters: [Object.Key: Counter] = [:]
        for (set, keys) in sets {
            for element in try socket.elements(of: set) where keys.contains(element.key) {
                counters[.element(set, element.key)] = Counter(packets: element.packets, bytes: element.bytes)
            }
        }
        for (chain, rules) in chains {
            for listed in try socket.rules(in: chain) {
                if let rule = rules[listed.fingerprint], let counted = listed.counter { counters[.rule(rule)] = counted }
            }
        }
        return counters
    }
}

extension Suspects {
    fileprivate func concerns(_ family: TableFamily) -> Bool { tables.contains(family) || holders.contains { $0.family == family } }
}
