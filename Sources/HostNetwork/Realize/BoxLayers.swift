extension Box {
    /// The same union in layers: boxes of one don't overlap, for the kernel's interval sets refuse elements that do; those of two layers may.
    ///
    /// Wider boxes come first and keep their shape, so that a narrow rule that is added changes none of the others'. What
    /// would fall into too many pieces among the boxes of one layer goes to the next whole: whoever writes the rules has no power over
    /// more than a few elements for each of them, however they cross each other.
    static func layers(_ boxes: [Box]) -> [[Box]] {
        var layers: [Layer] = []
        for box in boxes.sorted(by: { $0.isWider(than: $1) }) {
            let rests = layers.map { $0.rest(of: box) }
            // All of it is there already.
            if rests.contains([]) { continue }
            if let index = rests.firstIndex(where: { $0 != nil }) {
                for piece in rests[index] ?? [] { layers[index].insert(piece) }
            } else {
                layers.append(Layer(box))
            }
        }
        return layers.map(\.all)
    }

    /// The pieces of one box.
    static let most = 8
}

/// Boxes found again by their second range, which is the port that rules mostly differ in: narrow ones by the number, wide ones by looking at all of them.
private struct Layer {
    private(set) var all: [Box] = []
    private var wide: [Int] = []
    private var narrow: [UInt16: [Int]] = [:]
    private static let narrowest = 8

    init(_ box: Box) { insert(box) }

    mutating func insert(_ box: Box) {
        if box.second.count <= Self.narrowest {
            for number in box.second { narrow[number, default: []].append(all.count) }
        } else {
            wide.append(all.count)
        }
        all.append(box)
    }

    /// What of a box isn't in this layer yet, as boxes that overlap neither it nor each other; nil when there would be too many.
    func rest(of box: Box) -> [Box]? {
        var pieces = [box]
        for other in candidates(overlapping: box.second) where other.overlaps(box) {
            pieces = pieces.flatMap { $0.subtracting(other) }
            if pieces.isEmpty { break }
            // Those that come later may take some away again.
            if pieces.count > 4 * Box.most { return nil }
        }
        return pieces.count <= Box.most ? pieces : nil
    }

    /// Every box kept so far whose second range may overlap `range`; one of several numbers may come more than once.
    private func candidates(overlapping range: ClosedRange<UInt16>) -> [Box] {
        guard range.count <= Self.narrowest else { return all }
        return wide.map { all[$0] } + range.flatMap { narrow[$0, default: []] }.map { all[$0] }
    }
}
