import HostNetwork

/// The resources that documents name, in the order written: answers are given in that order.
struct Mentions {
    private var ranks: [IntentID: Int] = [:]
    /// By the section's name: the ranks of its lists, one for each document that has it.
    private var lists: [String: [Range<Int>]] = [:]
    private var count = 0

    init(_ documents: [Document]) {
        for case .map(let sections) in documents {
            for (section, value) in sections {
                guard case .list(let items) = value else {
                    lists[section, default: []].append(count..<count)
                    count += 1
                    continue
                }
                lists[section, default: []].append(count..<(count + items.count))
                let kind = Kind(named: section)
                for item in items {
                    if let kind, case .map(let fields) = item,
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
        let section = field.prefix { $0 != "[" && $0 != "." }
        guard let ranks = lists[String(section)] else { return count }
        guard let index = Int(field.dropFirst(section.count + 1).prefix { $0 != "]" }) else { return ranks.last?.lowerBound ?? count }
        return ranks.last { index < $0.count }.map { $0.lowerBound + index } ?? count
    }
}
