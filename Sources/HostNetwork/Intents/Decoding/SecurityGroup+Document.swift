extension SecurityGroup {
    init(_ field: Field) throws(Rejected) {
        let fields = try field.fields(known: ["id", "network", "stateful", "rules", "revision"])
        self.init(
            id: try fields.required("id", valid: IDText.valid).id(),
            network: try fields["network"]?.id(),
            stateful: try fields["stateful"]?.bool() ?? true,
            rules: try fields["rules"]?.each(Rule.init) ?? [],
            revision: try fields["revision"]?.revision() ?? 0)
        var seen: Set<String> = []
        for (index, rule) in rules.enumerated() where !seen.insert(rule.id).inserted {
            throw Rejected(intent: field.intent, field: "rules[\(index)].id", value: rule.id, reason: "given twice")
        }
        guard let owner = id.networkOfDefault else { return }
        guard network == nil || network == owner else {
            throw Rejected(
                intent: field.intent, field: "network", value: "\(network ?? owner)",
                reason: "this id is the one of network \(owner)'s default group", valid: "\(owner), or another id")
        }
        network = owner
    }

    var document: Document {
        .fields(
            ("id", .text(id)), ("network", network.map { .text($0) }), ("stateful", .bool(stateful)),
            ("rules", .list(rules.map(\.document))), ("revision", .revision(revision)))
    }
}
