extension AddressGroup {
    init(_ field: Field) throws(Rejected) {
        let fields = try field.fields(known: ["id", "cidrs", "revision"])
        self.init(
            id: try fields.required("id", valid: IDText.valid).id(),
            cidrs: try fields["cidrs"]?.each { field throws(Rejected) in try field.prefix() } ?? [],
            revision: try fields["revision"]?.revision() ?? 0)
    }

    var document: Document { .fields(("id", .text(id)), ("cidrs", .texts(cidrs)), ("revision", .revision(revision))) }
}
