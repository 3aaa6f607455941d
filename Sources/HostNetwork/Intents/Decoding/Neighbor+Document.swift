extension Neighbor {
    init(_ field: Field) throws(Rejected) {
        let fields = try field.fields(known: ["id", "network", "addresses", "mac", "host", "securityGroups", "revision"])
        self.init(
            id: try fields.required("id", valid: IDText.valid).id(),
            network: try fields.required("network", valid: "the id of a network").id(),
            addresses: try fields.required("addresses", valid: "one address at least").addresses(),
            mac: try fields["mac"]?.mac(),
            host: try fields["host"]?.address(),
            securityGroups: try fields["securityGroups"]?.eachOnce { field throws(Rejected) in try field.id() } ?? [],
            revision: try fields["revision"]?.revision() ?? 0)
    }

    var document: Document {
        .fields(
            ("id", .text(id)), ("network", .text(network)), ("addresses", .texts(addresses)), ("mac", mac.map { .text($0) }),
            ("host", host.map { .text($0) }), ("securityGroups", .texts(securityGroups)), ("revision", .revision(revision)))
    }
}
