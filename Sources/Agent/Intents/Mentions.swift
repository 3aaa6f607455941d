import HostNetwork

/// The resources that documents name, in the order written: answers are given in that order.
struct Mentions {
    private var ranks: [IntentID: Int] = [:]
    private var places: [String: Int] = [:]
    private var count = 0

    init(_ documents: [Document]) {
        for case .map(let sections) in documents {
            for (section, value) in sections {
                places[section] = count
                guard case .list(let items) = value else {
                    count += 1
                    continue
                }
                for (index, item) in items.enumerated() {
                    places["\(section)[\(index)]"] = count
                    if let kind = Kind(named: section), case .map(let fields) = item,
                        case .string(let id)? = fields.first(where: { $0.0 == "id" })?.1
                    {
                        ranks[IntentID(kind, id), default: count] = min(count, ranks[IntentID(kind, id)] ?? count)
                    }
                    count += 1
                }
            }
        }
    }

    /// In the order written; what the documents don't name (deleted by `prune`) comes last.
    func inOrder(_ answers: [Answer]) -> [Answer] {
        answers.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
    }

    private func rank(_ answer: Answer) -> Int {
        if let intent = answer.intent { return ranks[intent] ?? count }
        // A resource without a name is known by its place: "pods[3].id".
        let field = answer.field ?? ""
        let place = field.firstIndex(of: "]").map { String(field[...$0]) } ?? field
        return places[place] ?? count
    }
}
