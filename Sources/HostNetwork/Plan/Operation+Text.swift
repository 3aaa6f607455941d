/// An operation as `nft` and `ip` would be told it: what a dry run prints and a refusal quotes.
extension Operation {
    package var text: String {
        switch action {
        case .add: object.text(doing: "add")
        case .change: object.text(doing: "change")
        case .remove: object.text(doing: "delete")
        }
    }
}

extension Object {
    fileprivate func text(doing verb: String) -> String {
        switch self {
        case .link(let link):
            "link \(verb) \(link.name) type veth mtu \(link.mtu) \(link.isUp ? "up" : "down") peer \(link.interface) address \(link.mac) netns \(link.namespace)"
        case .address(let address): "address \(verb) \(address.address) dev \(address.end.text)"
        case .route(let route): route.text(doing: verb)
        case .neighbor(let neighbor): "neighbor \(verb) \(neighbor.address) lladdr \(neighbor.mac) dev \(neighbor.end.text)"
        case .tunnel(let tunnel):
            "link \(verb) \(tunnel.name) type vxlan id \(tunnel.id) local \(tunnel.local) dstport \(Tunnel.port) nolearning address \(tunnel.mac) mtu \(tunnel.mtu) \(tunnel.isUp ? "up" : "down")"
        case .forwarding(let entry): "fdb \(verb) \(entry.mac) dst \(entry.host) dev \(entry.tunnel) self permanent"
        case .tableRule(let rule): rule.text(doing: verb)
        case .table(let family): "\(verb) table \(family.text) \(Marks.table)"
        case .chain(let chain): "\(verb) chain \(chain.id.text)\(chain.bodyText)"
        case .set(let set): "\(verb) \(set.isMap ? "map" : "set") \(set.id.text) { \(set.typeText) }"
        case .rule(let rule): "\(verb) rule \(rule.chain.text) \(rule.statements.map(\.text).joined(separator: " "))"
        case .element(let element): "\(verb) element \(element.set.text) { \(element.text) }"
        }
    }
}

extension Route {
    fileprivate func text(doing verb: String) -> String {
        let inet6 = gateway.map { $0.family != destination.family } ?? false
        let through = gateway.map { " via \(inet6 ? "inet6 " : "")\($0)" } ?? ""
        let what =
            switch kind {
            case .way: ""
            case .exception: "throw "
            case .barrier: "unreachable "
            }
        return "route \(verb) \(what)\(destination)\(through)" + (end.map { "\(gateway == nil ? "" : " onlink") dev \($0.text)" } ?? "")
            + (table == .main ? "" : " table \(table.number)") + (kind == .barrier ? " metric \(UInt32.max)" : "")
    }
}

extension TableRule {
    fileprivate func text(doing verb: String) -> String {
        let match =
            switch match {
            case .source(let prefix): "from \(prefix)"
            case .link(let name, let family): "\(family == .v4 ? "" : "-6 ")iif \(name)"
            }
        let action =
            switch action {
            case .look(let table): "lookup \(table.number)"
            case .main: "goto \(Self.ofMain)"
            }
        return "rule \(verb) \(match) \(action) priority \(priority)"
    }
}

extension End {
    fileprivate var text: String { side == .host ? link.value : "\(link.value)'s pod side" }
}

extension Chain {
    fileprivate var bodyText: String {
        let hook = base.map { " type filter hook \($0.hook) priority \($0.priority);" } ?? ""
        let rules = body.map { " " + $0.map(\.text).joined(separator: " ") + ";" }.joined()
        return hook.isEmpty && rules.isEmpty ? "" : " {\(hook)\(rules) }"
    }
}

extension NamedSet {
    fileprivate var typeText: String {
        "type \(key.map(\.text).joined(separator: " . "))\(isMap ? " : verdict" : "");\(isInterval ? " flags interval;" : "")\(counts ? " counter;" : "")\(crowd.map { " ct count over \($0);" } ?? "")"
    }
}

extension Element {
    /// Its fields in the types that the set of that name has; keys are otherwise shown as bytes.
    fileprivate var text: String {
        let low = key.hexText
        let range = end.flatMap { $0 == key ? nil : $0 }.map { "-\($0.hexText)" } ?? ""
        let link = self.link.map { "\"\($0)\" " } ?? ""
        return link + (link.isEmpty ? low : Array(key.dropFirst(16)).hexText) + range + (verdict.map { " : \($0.text)" } ?? "")
    }
}

extension [UInt8] {
    fileprivate var hexText: String {
        isEmpty ? "" : "0x" + map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }
}
