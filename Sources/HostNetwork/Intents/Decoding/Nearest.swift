extension String {
    /// The one of `words` that was most likely meant; nil when none is close.
    package func nearest(of words: [String]) -> String? {
        // Whoever misspells a word still writes something as short; and the cost grows with the length.
        guard utf8.count <= 64 else { return nil }
        let scored = words.map { (word: $0, distance: lowercased().distance(to: $0.lowercased())) }
        guard let best = scored.min(by: { $0.distance < $1.distance }), best.distance <= max(2, count / 3) else { return nil }
        return best.distance < best.word.count ? best.word : nil
    }

    /// How many characters have to be put in, taken out or changed (Levenshtein).
    private func distance(to other: String) -> Int {
        let other = Array(other)
        var row = Array(0...other.count)
        for (index, mine) in enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, theirs) in other.enumerated() {
                let changed = diagonal + (mine == theirs ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = Swift.min(changed, diagonal + 1, row[column] + 1)
            }
        }
        return row[other.count]
    }
}
