/// One object of the kernel that isn't as it was believed to be: what somebody else did to it.
package struct Difference: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case missing
        /// Nobody believed it to be there.
        case extra
        case changed(to: Object)
    }

    /// As it was believed to be; an extra one as it is.
    package var entry: Entry
    package var kind: Kind

    package init(_ entry: Entry, _ kind: Kind) {
        self.entry = entry
        self.kind = kind
    }

    /// Whose it is.
    package var because: IntentID { entry.because }
}

extension Difference: Comparable {
    /// What brings others along comes first: tables, links, chains and sets, and then what is in and on them.
    private var rank: Int {
        switch entry.object {
        case .table: 0
        case .link, .tunnel: 1
        case .chain, .set: 2
        case .address, .route, .neighbor, .forwarding, .tableRule, .rule, .element: 3
        }
    }

    package static func < (a: Self, b: Self) -> Bool {
        if a.because != b.because { return a.because < b.because }
        return a.rank == b.rank ? a.entry.object.words < b.entry.object.words : a.rank < b.rank
    }
}

extension Difference: CustomStringConvertible {
    /// For people: "route 10.1.0.10/32 dev hw… was missing".
    package var description: String {
        switch (kind, entry.object) {
        case (.missing, let object): "\(object.words) was missing"
        case (.extra, let object): "\(object.words) was there"
        case (.changed(.link(let found)), .link(let wanted)): "link \(wanted.name) was different: " + found.words(insteadOf: wanted)
        case (.changed(.tunnel(let found)), .tunnel(let wanted)): "link \(wanted.name) was different: " + found.words(insteadOf: wanted)
        case (.changed(.chain), .chain(let chain)): "the rules of chain \(chain.id.text) were different"
        case (.changed(let found), let object): "\(found.words) was in the place of \(object.words)"
        }
    }
}

extension Object {
    /// It, as `ip` and `nft` would be told of it, without a verb. A chain is named without its rules.
    var words: String {
        let whole: Object
        switch self {
        case .chain(let chain): whole = .chain(Chain(chain.id))
        case .link(let link): return "link \(link.name)"
        case .tunnel(let tunnel): return "link \(tunnel.name)"
        default: whole = self
        }
        let verbless = Operation(.add, Entry(whole, because: Layout.because)).text.split(separator: " ").filter { $0 != "add" }
        return verbless.joined(separator: " ")
    }
}

extension Link {
    /// What differs, field by field.
    fileprivate func words(insteadOf wanted: Link) -> String {
        var words: [String] = []
        if mtu != wanted.mtu { words.append(mtu == 0 ? "another mtu than \(wanted.mtu)" : "mtu \(mtu) instead of \(wanted.mtu)") }
        if isUp != wanted.isUp { words.append(isUp ? "up instead of down" : "down instead of up") }
        if hostMAC != wanted.hostMAC { words.append("address \(hostMAC) instead of \(wanted.hostMAC)") }
        if pod != wanted.pod { words.append("alias \"\(pod)\" instead of \"\(wanted.pod)\"") }
        if reversePath != wanted.reversePath { words.append("rp_filter \(reversePath.rawValue) instead of \(wanted.reversePath.rawValue)") }
        if namespace != wanted.namespace {
            words.append("its pod side isn't in \(wanted.namespace)")
        } else {
            if interface != wanted.interface { words.append("pod side \(interface) instead of \(wanted.interface)") }
            if mac != wanted.mac { words.append("the pod side's address \(mac) instead of \(wanted.mac)") }
        }
        return words.joined(separator: ", ")
    }
}

extension Tunnel {
    fileprivate func words(insteadOf wanted: Tunnel) -> String {
        var words: [String] = []
        if mtu != wanted.mtu { words.append("mtu \(mtu) instead of \(wanted.mtu)") }
        if isUp != wanted.isUp { words.append(isUp ? "up instead of down" : "down instead of up") }
        if network != wanted.network { words.append("alias \"\(network)\" instead of \"\(wanted.network)\"") }
        if id != wanted.id { words.append("id \(id) instead of \(wanted.id)") }
        if local != wanted.local { words.append("local \(local) instead of \(wanted.local)") }
        // Settings that can't be changed are reported as no MAC, so that it is made anew.
        if mac != wanted.mac { words.append(mac == MAC(0) ? "not made as Hawser makes it" : "address \(mac) instead of \(wanted.mac)") }
        return words.joined(separator: ", ")
    }
}
