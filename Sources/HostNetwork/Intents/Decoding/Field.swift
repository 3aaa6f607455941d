/// One value of a document and where it stands there, so that whatever is wrong with it can be named.
struct Field {
    /// The resource that it belongs to, once its name is known.
    let intent: IntentID?
    let place: Place
    let value: Document

    init(intent: IntentID? = nil, at place: Place = .top, _ value: Document) {
        self.intent = intent
        self.place = place
        self.value = value
    }

    func rejected(_ reason: String, valid: String = "") -> Rejected {
        Rejected(intent: intent, field: place.path, value: value.isNull ? "" : value.excerpt, reason: reason, valid: valid)
    }

    func fields(known: [String]) throws(Rejected) -> Fields {
        guard case .map(let entries) = value else { throw rejected("not a map of fields", valid: known.joined(separator: ", ")) }
        return try Fields(entries, of: self, known: known)
    }

    func each<Value>(_ read: (Field) throws(Rejected) -> Value) throws(Rejected) -> [Value] {
        guard case .list(let items) = value else { throw rejected("not a list", valid: "a list: [first, second]") }
        var values: [Value] = []
        values.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            values.append(try read(Field(intent: intent, at: place.item(index), item)))
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

/// A place in a document. Most values are as they should be, so its text is made only when one isn't.
enum Place {
    case top
    case name(String)
    indirect case field(String, of: Place)
    indirect case item(Int, of: Place)

    func field(_ name: String) -> Place { if case .top = self { .name(name) } else { .field(name, of: self) } }
    func item(_ index: Int) -> Place { .item(index, of: self) }

    /// As in "rules[2].ports".
    var path: String {
        switch self {
        case .top: ""
        case .name(let name): name.excerpt
        case .field(let name, let place): "\(place.path).\(name.excerpt)"
        case .item(let index, let place): "\(place.path)[\(index)]"
        }
    }
}

/// The fields of one map, every one of them known and given once. Null is the same as left out.
struct Fields {
    private let owner: Field
    /// As written: maps are so small that to look through one costs less than to hash its names.
    private let entries: [(String, Document)]

    fileprivate init(_ entries: [(String, Document)], of owner: Field, known: [String]) throws(Rejected) {
        for (position, (name, value)) in entries.enumerated() {
            func rejected(_ reason: String, valid: String = "") -> Rejected {
                Field(intent: owner.intent, at: owner.place.field(name), value).rejected(reason, valid: valid)
            }
            guard known.contains(name) else {
                let nearest = name.nearest(of: known).map { "did you mean \($0)? " } ?? ""
                throw rejected("there is no such field", valid: nearest + "Fields here: " + known.joined(separator: ", "))
            }
            guard !entries[..<position].contains(where: { $0.0 == name }) else { throw rejected("given twice") }
        }
        self.owner = owner
        self.entries = entries
    }

    subscript(_ name: String) -> Field? {
        guard let value = entries.first(where: { $0.0 == name })?.1, !value.isNull else { return nil }
        return Field(intent: owner.intent, at: owner.place.field(name), value)
    }

    func required(_ name: String, valid: String) throws(Rejected) -> Field {
        if let field = self[name] { return field }
        throw Rejected(intent: owner.intent, field: owner.place.field(name).path, reason: "missing", valid: valid)
    }
}

extension Document {
    var isNull: Bool { if case .null = self { true } else { false } }
}
