extension LabNamespace {
    /// How many tables, chains, rules, sets, maps and elements of them there are in nftables' tables of this name, but for chains whose names
    /// begin with a prefix.
    ///
    /// As text: the JSON of `nft` 1.0.6 ends in the middle for a table with a flag that it doesn't know, such as one that nobody owns and that
    /// persists.
    package func rulesetCounts(of table: String, withoutChains prefix: String) throws -> [String: Int] {
        var counts = RulesetCounts(prefix)
        for line in try run("nft", "list", "ruleset").split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            // table inet NAME { # progname …
            if words.first == "table" { counts.isOurs = words.count > 2 && words[2] == table }
            if counts.isOurs { counts.take(words) }
        }
        return counts.counts
    }
}

/// Counts what `nft` lists, line by line.
private struct RulesetCounts {
    private(set) var counts: [String: Int] = [:]
    var isOurs = false
    /// The kind of what is being listed; nil in a chain that isn't counted.
    private var block: Substring?
    private var isInElements = false
    private let prefix: String

    init(_ prefix: String) { self.prefix = prefix }

    mutating func take(_ words: [Substring]) {
        guard let first = words.first else { return }
        switch first {
        case "table": counts["table", default: 0] += 1
        case "chain", "set", "map":
            block = first == "chain" && words.count > 1 && words[1].hasPrefix(prefix) ? nil : first
            if let block { counts[String(block), default: 0] += 1 }
        case "}": block = nil
        case _ where block == "chain": if first != "type" { counts["rule", default: 0] += 1 }
        case _ where block != nil: take(ofSet: words)
        default: break
        }
    }

    /// Elements come with commas between them, from "elements = {" to a brace.
    private mutating func take(ofSet words: [Substring]) {
        if words.first == "elements" {
            isInElements = true
            counts["element", default: 0] += 1
        }
        guard isInElements else { return }
        counts["element", default: 0] += words.count { $0.hasSuffix(",") }
        if words.last == "}" { isInElements = false }
    }
}
