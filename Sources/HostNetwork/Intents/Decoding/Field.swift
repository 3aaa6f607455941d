/// One place in a document: a value with its path, so that whatever is wrong there can be named.
struct Field {
    /// The resource that it belongs to, once its name is known.
    let intent: IntentID?
    /// As in "rules[2].ports".
    let path: String
    let value: Document

    func rejected(_ reason: String, valid: String = "") -> Rejected {
        Rejected(intent: intent, field: path, value: value == .null ? "" : value.excerpt, reason: reason, valid: valid)
    }

    func fields(known: [String]) throws(Rejected) -> Fields {
        guard case .map(let entries) = value else { throw rejected("not a map of fields", valid: known.joined(separator: ", ")) }
        return try Fields(entries, of: self, known: known)
    }

    func each<Value>(_ read: (Field) throws(Rejected) -> Value) throws(Rejected) -> [Value] {
        guard case .list(let items) = value else { throw rejected("not a list", valid: "a list: [first, second]") }
        var values: [Value] = []
        for (index, item) in items.enumerated() {
            values.append(try read(Field(intent: intent, path: "\(path)[\(index)]", value: item)))
        }
        return values
    }

    /// As `each`, where the same value twice is a mistake.
    func eachOnce<Value: Hashable>(_ read: (Field) throws(Rejected) -> Value) throws(Rejected) -> [Value] {
        var seen: Set<Value> = []
        return try each { field throws(Rejected) in
            let value = try read(field)
            guard seen.insert(value).inserted else { throw field.rejected("given twice") }
            return value
        }
    }
}

/// The fields of one map, every one of them known and given once. Null is the same as left out.
struct Fields {
    private let owner: Field
    private let values: [String: Field]

    fileprivate init(_ entries: [(String, Document)], of owner: Field, known: [String]) throws(Rejected) {
        var values: [String: Field] = [:]
        for (name, value) in entries {
            let path = owner.path.isEmpty ? name.excerpt : "\(owner.path).\(name.excerpt)"
            let field = Field(intent: owner.intent, path: path, value: value)
            guard known.contains(name) else {
                let nearest = name.nearest(of: known).map { "did you mean \($0)? " } ?? ""
                throw field.rejected("there is no such field", valid: nearest + "Fields here: " + known.joined(separator: ", "))
            }
            guard values.updateValue(field, forKey: name) == nil else { throw field.rejected("given twice") }
        }
        self.owner = owner
        self.values = values.filter { $0.value.value != .null }
    }

    subscript(_ name: String) -> Field? { values[name] }

    func required(_ name: String, valid: String) throws(Rejected) -> Field {
        if let field = values[name] { return field }
        let path = owner.path.isEmpty ? name : "\(owner.path).\(name)"
        throw Rejected(intent: owner.intent, field: path, reason: "missing", valid: valid)
    }
}
