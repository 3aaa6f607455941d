import HostNetwork

/// What the files of the intents' folder say. Where two files name the same resource, the one that comes last by name counts.
struct IntentBook {
    /// What one file says.
    struct Page {
        let intents: [Intent]
        let rejected: [Rejected]
        /// Everything it names, also what was refused: that stays in force as it was.
        let named: Set<IntentID>

        /// Of two resources with the same name the first one counts.
        init(_ documents: [Document]) {
            var intents: [Intent] = []
            var rejected: [Rejected] = []
            var seen: Set<IntentID> = []
            for document in documents {
                let decoded = IntentFile.decode(document)
                rejected += decoded.rejected
                for intent in decoded.intents {
                    if seen.insert(intent.id).inserted { intents.append(intent) } else { rejected.append(.givenTwice(intent.id)) }
                }
            }
            self.intents = intents
            self.rejected = rejected
            named = seen.union(rejected.compactMap(\.intent))
        }

        /// A resource was refused whose name can't be read: nobody knows which one is meant.
        var isUncertain: Bool { rejected.contains { $0.intent == nil } }
    }

    private var pages: [String: Page] = [:]

    var paths: [String] { pages.keys.sorted() }

    /// The changes that make `new` (nil: the file is gone) of the book, a change for each file concerned, in the order of their names.
    /// `held`: the resources that each file was the last to ask for, as the store has it.
    mutating func turn(_ new: [String: Page?], held: (String) throws -> [IntentID]) rethrows -> [(path: String, change: Change)] {
        var touched: [String: Set<IntentID>] = [:]
        for (path, page) in new {
            touched[path] = page?.named ?? []
            if let page { pages[path] = page } else { pages[path] = nil }
        }
        var deletions: [String: [IntentID]] = [:]
        for path in new.keys.sorted() {
            guard !(pages[path]?.isUncertain ?? false) else { continue }
            for id in try held(path) where !(pages[path]?.named.contains(id) ?? false) {
                // Another file may have been naming it all along.
                if let other = owner(of: id) { touched[other, default: []].insert(id) } else { deletions[path, default: []].append(id) }
            }
        }
        return touched.sorted { $0.key < $1.key }.map { path, ids in
            let page = pages[path]
            let upserts = page?.intents.filter { ids.contains($0.id) && owner(of: $0.id) == path } ?? []
            let rejected = new[path] == nil ? [] : page?.rejected ?? []
            return (path, Change(upserts: upserts, deletions: deletions[path] ?? [], rejected: rejected))
        }
    }

    /// Takes in a file that hasn't changed since it was applied.
    mutating func recall(_ path: String, _ page: Page) { pages[path] = page }

    /// What a file says, once more.
    func offer(_ path: String) -> Change {
        Change(upserts: pages[path]?.intents.filter { owner(of: $0.id) == path } ?? [])
    }

    /// The file whose word counts.
    func owner(of id: IntentID) -> String? {
        pages.filter { $0.value.named.contains(id) }.keys.max()
    }
}

extension Rejected {
    /// A second document of the same text names it once more.
    fileprivate static func givenTwice(_ intent: IntentID) -> Rejected {
        Rejected(
            intent: intent, field: "id", value: intent.id, reason: "given twice; the first one counts", valid: "one resource for each id")
    }
}
