extension Network {
    init(_ field: Field) throws(Rejected) {
        let fields = try field.fields(known: ["id", "isolated", "subnets", "revision"])
        self.init(
            id: try fields.required("id", valid: IDText.valid).id(),
            isolated: try fields["isolated"]?.bool() ?? false,
            subnets: try fields["subnets"]?.each(Subnet.init) ?? [],
            revision: try fields["revision"]?.revision() ?? 0)
        try distinct(at: fields["subnets"] ?? field)
    }

    private func distinct(at field: Field) throws(Rejected) {
        for (index, subnet) in subnets.enumerated() {
            for earlier in subnets[..<index] {
                func rejected(_ part: String, _ value: String, _ reason: String) -> Rejected {
                    Rejected(intent: field.intent, field: "subnets[\(index)].\(part)", value: value, reason: reason)
                }
                if earlier.id == subnet.id { throw rejected("id", subnet.id, "given twice") }
                guard !earlier.cidr.overlaps(subnet.cidr) else {
                    throw rejected("cidr", "\(subnet.cidr)", "overlaps \(earlier.cidr) of subnet \(earlier.id)")
                }
            }
        }
    }

    var document: Document {
        .fields(
            ("id", .text(id)), ("isolated", .bool(isolated)), ("subnets", .list(subnets.map(\.document))),
            ("revision", .revision(revision)))
    }
}

extension Subnet {
    init(_ field: Field) throws(Rejected) {
        let fields = try field.fields(known: ["id", "cidr", "gateway"])
        let cidr = try fields.required("cidr", valid: "a prefix such as 10.1.0.0/24")
        self.init(
            id: try fields.required("id", valid: IDText.valid).identifier(), cidr: try cidr.prefix(),
            gateway: try fields["gateway"]?.address())
        if let special = self.cidr.first.notAssignable ?? self.cidr.last.notAssignable {
            throw cidr.rejected("it includes \(special)", valid: "a prefix of unicast addresses")
        }
        guard let gateway, let field = fields["gateway"] else { return }
        guard self.cidr.contains(gateway) else { throw field.rejected("outside of the subnet", valid: "an address of \(self.cidr)") }
        if let reserved = reserved(gateway) { throw field.rejected(reserved, valid: "another address of \(self.cidr)") }
    }

    var document: Document { .fields(("id", .string(id)), ("cidr", .text(cidr)), ("gateway", gateway.map { .text($0) })) }
}
