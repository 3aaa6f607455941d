extension Rule {
    init(_ field: Field) throws(Rejected) {
        let fields = try field.fields(
            known: ["id", "direction", "ethertype", "protocol", "ports", "sourcePorts", "icmp", "remote"])
        let id = try fields.required("id", valid: IDText.valid).identifier()
        let direction = try fields["direction"]?.choice(Direction.allCases.map { ($0.rawValue, $0) }) ?? .egress
        let ethertype = try fields["ethertype"]?.choice([("ipv4", Family.v4), ("ipv6", .v6)])
        let remote = try fields["remote"].map(Remote.init) ?? .anyone
        if let field = fields["remote"], let ethertype, let family = remote.family, family != ethertype {
            throw field.rejected("the prefix is of \(family), the rule's ethertype of \(ethertype)", valid: "a prefix of \(ethertype)")
        }
        let family = ethertype ?? remote.family
        let `protocol` = try fields["protocol"]?.protocolOrAny()?.spoken(in: family)
        if let field = fields["protocol"], let only = `protocol`?.onlyFamily, let family, only != family {
            throw field.rejected("it exists only in \(only), and the rule is for \(family)", valid: "a protocol of \(family)")
        }
        for name in ["ports", "sourcePorts"] {
            guard let field = fields[name], `protocol`?.hasPorts != true else { continue }
            let reason = `protocol`.map { "\($0) has no ports" } ?? "the rule has no protocol"
            throw field.rejected(reason, valid: "ports with protocol " + IPProtocol.withPorts.map(\.description).joined(separator: ", "))
        }
        if let field = fields["icmp"], `protocol`?.isICMP != true {
            let reason = `protocol`.map { "\($0) has no ICMP types" } ?? "the rule has no protocol"
            throw field.rejected(reason, valid: "icmp with protocol icmp or icmpv6")
        }
        self.init(
            id: id, direction: direction, family: family, protocol: `protocol`, ports: try fields["ports"]?.ports(),
            sourcePorts: try fields["sourcePorts"]?.ports(), icmp: try fields["icmp"].map(ICMPMatch.init), remote: remote)
    }

    var document: Document {
        .fields(
            ("id", .string(id)), ("direction", .string(direction.rawValue)),
            ("ethertype", family.map { .string($0 == .v4 ? "ipv4" : "ipv6") }), ("protocol", `protocol`.map { .text($0) }),
            ("ports", ports.map { .text($0) }), ("sourcePorts", sourcePorts.map { .text($0) }), ("icmp", icmp.map(\.document)),
            ("remote", remote.document))
    }
}

extension Field {
    /// A name or a number; nil for any.
    fileprivate func protocolOrAny() throws(Rejected) -> IPProtocol? {
        let text: String
        switch value {
        case .int(let number): text = String(number)
        case .string(let written): text = written.lowercased()
        default: throw rejected("not a protocol", valid: "a name or a number from 0 to 255")
        }
        if text == "any" || text == "0" { return nil }
        guard let found = IPProtocol(named: text) else {
            let names = IPProtocol.names.map(\.name)
            let nearest = text.nearest(of: names).map { "did you mean \($0)? " } ?? ""
            throw rejected("unknown protocol", valid: nearest + "A number from 0 to 255, any, " + names.joined(separator: ", "))
        }
        return found
    }
}

extension ICMPMatch {
    init(_ field: Field) throws(Rejected) {
        let fields = try field.fields(known: ["type", "code"])
        if let code = fields["code"], fields["type"] == nil { throw code.rejected("a code needs a type", valid: "type and code") }
        self.init(
            type: UInt8(try fields.required("type", valid: "0 to 255").integer(in: 0...255)),
            code: try fields["code"].map { (code) throws(Rejected) in UInt8(try code.integer(in: 0...255)) })
    }

    var document: Document { .fields(("type", .int(Int(type))), ("code", code.map { .int(Int($0)) })) }
}

extension Remote {
    init(_ field: Field) throws(Rejected) {
        let names = ["cidr", "group", "addressGroup"]
        let fields = try field.fields(known: names)
        guard names.count(where: { fields[$0] != nil }) == 1 else {
            throw field.rejected("not exactly one remote", valid: "one of cidr, group and addressGroup; no remote at all for anyone")
        }
        if let cidr = fields["cidr"] {
            self = .cidr(try cidr.prefix())
        } else if let group = fields["group"] {
            self = .group(try group.id())
        } else {
            self = .addressGroup(try fields.required("addressGroup", valid: IDText.valid).id())
        }
    }

    var document: Document? {
        switch self {
        case .anyone: nil
        case .cidr(let prefix): .fields(("cidr", .text(prefix)))
        case .group(let id): .fields(("group", .text(id)))
        case .addressGroup(let id): .fields(("addressGroup", .text(id)))
        }
    }
}
