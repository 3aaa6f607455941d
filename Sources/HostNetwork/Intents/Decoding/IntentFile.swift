/// The format of intents: a map of lists, one for each kind.
package enum IntentFile {
    /// Reads every resource by itself; one that is refused doesn't hurt another. Of two with the same name the first one counts.
    package static func decode(_ document: Document) -> (intents: [Intent], rejected: [Rejected]) {
        let top: [(String, Document)]
        switch document {
        case .map(let entries): top = entries
        case .null: top = []  // an empty file
        default: return ([], [Field(document).rejected("not a map", valid: known)])
        }
        var intents: [Intent] = []
        var rejected: [Rejected] = []
        var seen: Set<IntentID> = []
        for (name, value) in top {
            let section = Field(at: .name(name), value)
            guard let kind = Kind.allCases.first(where: { $0.section == name }) else {
                let nearest = name.nearest(of: Kind.allCases.map(\.section)).map { "did you mean \($0)? " } ?? ""
                rejected.append(section.rejected("there is no such kind of resource", valid: nearest + known))
                continue
            }
            guard case .list(let items) = value else {
                if !value.isNull { rejected.append(section.rejected("not a list", valid: "a list of resources")) }
                continue
            }
            for (index, item) in items.enumerated() {
                do throws(Rejected) {
                    let intent = try decode(item, as: kind, at: index)
                    guard seen.insert(intent.id).inserted else {
                        throw Rejected(
                            intent: intent.id, field: "id", value: intent.id.id, reason: "given twice; the first one counts",
                            valid: "one resource for each id")
                    }
                    intents.append(intent)
                } catch {
                    rejected.append(error)
                }
            }
        }
        return (intents, rejected)
    }

    /// One resource, as it stands in the list of its kind.
    package static func decode(_ resource: Document, as kind: Kind, at index: Int = 0) throws(Rejected) -> Intent {
        try Intent(Field(at: Place.name(kind.section).item(index), resource).named(kind), kind: kind)
    }

    /// The canonical document: decoding it gives the same intents back.
    package static func encode(_ intents: some Sequence<Intent>) -> Document {
        let sections = Dictionary(grouping: intents, by: \.kind)
        return .map(sections.sorted { $0.key < $1.key }.map { ($0.key.section, .list($0.value.map(\.document))) })
    }

    /// The same for one resource, as the store has it.
    package static func encode(_ intent: Intent) -> Document { .map([(intent.kind.section, .list([intent.document]))]) }

    private static var known: String { "Kinds here: " + Kind.allCases.map(\.section).joined(separator: ", ") }
}

extension Kind {
    /// The name of its list.
    fileprivate var section: String {
        switch self {
        case .network: "networks"
        case .addressGroup: "addressGroups"
        case .securityGroup: "securityGroups"
        case .pod: "pods"
        case .neighbor: "neighbors"
        case .elasticIP: "elasticIPs"
        }
    }
}

extension Field {
    /// The same place, its path starting at the resource, once its name can be read.
    fileprivate func named(_ kind: Kind) throws(Rejected) -> Field {
        guard case .map(let entries) = value else { throw rejected("not a resource", valid: "a map with an id") }
        guard let id = entries.first(where: { $0.0 == "id" })?.1, !id.isNull else { throw rejected("has no id", valid: IDText.valid) }
        let name = try Field(at: place.field("id"), id).identifier()
        return Field(intent: IntentID(kind, name), value)
    }
}

extension Intent {
    init(_ field: Field, kind: Kind) throws(Rejected) {
        switch kind {
        case .network: self = .network(try Network(field))
        case .addressGroup: self = .addressGroup(try AddressGroup(field))
        case .securityGroup: self = .securityGroup(try SecurityGroup(field))
        case .pod: self = .pod(try Pod(field))
        case .neighbor: self = .neighbor(try Neighbor(field))
        case .elasticIP:
            throw Rejected(intent: field.intent, field: "", reason: "elastic IPs are not supported by this version")
        }
    }

    /// One resource by itself, as it stands in its list.
    var document: Document {
        switch self {
        case .network(let network): network.document
        case .addressGroup(let group): group.document
        case .securityGroup(let group): group.document
        case .pod(let pod): pod.document
        case .neighbor(let neighbor): neighbor.document
        }
    }
}
