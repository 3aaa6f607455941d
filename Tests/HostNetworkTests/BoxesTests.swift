import OwnThreads
import Testing

@testable import HostNetwork
import PolicyModel

@Suite("The union of what rules let through", .ownThreads) struct BoxesTests {
    /// A small space: 6 addresses, 3 protocols, 5 and 12 numbers.
    private static let points: [(UInt128, UInt8, UInt16, UInt16)] = (0..<6).flatMap { address in
        (0..<3).flatMap { number in (0..<5).flatMap { first in (0..<12).map { (address, number, first, $0) } } }
    }

    @Test("is exact and made of layers of boxes that don't overlap, a few for each rule", arguments: 0..<30)
    func exact(seed: Int) {
        var random = Seeded(seed)
        for _ in 0..<4 {
            let boxes = random.boxes(atMost: 7)
            let layers = Box.layers(boxes)
            for point in Self.points {
                let isIn = boxes.contains { $0.contains(point) }
                let counts = layers.map { layer in layer.filter { $0.contains(point) }.count }
                #expect(counts.contains(1) == isIn && counts.allSatisfy { $0 <= 1 }, "seed \(seed): \(point) of \(boxes)")
            }
            let pieces = layers.joined()
            #expect(pieces.allSatisfy { piece in boxes.contains { $0.rule == piece.rule && $0.contains(piece) } }, "seed \(seed)")
            #expect(pieces.count <= boxes.count * Box.most)
        }
    }

    @Test("is the same whatever the order of the rules", arguments: 0..<20)
    func order(seed: Int) {
        var random = Seeded(seed)
        let boxes = random.boxes(atMost: 12)
        #expect(Box.layers(boxes) == Box.layers(boxes.shuffled(using: &random)), "seed \(seed)")
    }

    @Test("stays as it is when a box is added that another contains", arguments: 0..<30)
    func contained(seed: Int) {
        var random = Seeded(seed)
        let boxes = random.boxes(atMost: 7) + [random.box("wide")]
        guard let wide = boxes.randomElement(using: &random) else { return }
        var narrow = wide
        narrow.rule = "narrow"
        narrow.second = wide.second.lowerBound...wide.second.lowerBound
        guard narrow.second != wide.second else { return }
        #expect(Box.layers(boxes + [narrow]) == Box.layers(boxes), "seed \(seed): \(narrow) in \(boxes)")
    }

    @Test("keeps every other box's pieces when a narrow one is added", arguments: 0..<30)
    func narrow(seed: Int) {
        var random = Seeded(seed)
        let boxes = random.boxes(atMost: 7).filter { $0.addresses.count > 1 }
        var point = random.box("point")
        point.addresses = point.addresses.lowerBound...point.addresses.lowerBound
        let before = Box.layers(boxes)
        let after = Box.layers(boxes + [point]).map { layer in layer.filter { $0.rule != "point" } }
        #expect(after.filter { !$0.isEmpty } == before, "seed \(seed): \(point) beside \(boxes)")
    }

    @Test("of a thousand ports is a thousand boxes, and one more port is one more")
    func many() {
        func box(_ port: UInt16) -> Box {
            Box(addresses: 0 ... .max, protocols: 6...6, first: 0...65535, second: port...port, rule: "\(port)")
        }
        let boxes = (1...1000).map { box(UInt16($0 * 2)) }
        let union = Set(Box.layers(boxes)[0])
        #expect(union.count == 1000)
        let layers = Box.layers(boxes + [box(7)])
        #expect(layers.count == 1)
        #expect(Set(layers[0]).subtracting(union).count == 1)
    }

    @Test("of rules that all cross each other grows with their number, not with its square")
    func crossing() {
        let boxes = (0..<300).map { index in
            let (low, high) = (UInt16(index * 100), UInt16(32_000 - index * 100))
            return Box(
                addresses: 0 ... .max, protocols: 6...6, first: low...(low + 30_000), second: high...(high + 30_000), rule: "\(index)")
        }
        #expect(Box.layers(boxes).joined().count <= boxes.count * Box.most)
        // Five hundred ports for anybody, and a wide range of them for five hundred prefixes.
        let ports = (1...500).map { number in
            Box(
                addresses: 0...0xffff_ffff, protocols: 6...6, first: 0...65535, second: UInt16(number * 100)...UInt16(number * 100),
                rule: "p\(number)")
        }
        let prefixes = (1...500).map { number in
            Box(
                addresses: UInt128(number * 256)...UInt128(number * 256 + 255), protocols: 6...6, first: 0...65535, second: 1...65535,
                rule: "a\(number)")
        }
        let layers = Box.layers(ports + prefixes)
        #expect(layers.count == 2)
        #expect(layers.joined().count == 1000)
    }
}

extension Seeded {
    fileprivate mutating func boxes(atMost count: Int) -> [Box] { (0..<number(0...count)).map { box("r\($0)") } }

    fileprivate mutating func box(_ rule: String) -> Box {
        func range<Number: FixedWidthInteger & SignedInteger>(_ last: Number, _ random: inout Seeded) -> ClosedRange<Int> {
            if random.once(in: 3) { return 0...Int(last) }
            let ends = [random.number(0...Int(last)), random.number(0...Int(last))].sorted()
            return ends[0]...(random.once(in: 2) ? ends[0] : ends[1])
        }
        let (addresses, protocols, first, second) = (range(5, &self), range(2, &self), range(4, &self), range(11, &self))
        return Box(
            addresses: UInt128(addresses.lowerBound)...UInt128(addresses.upperBound),
            protocols: UInt8(protocols.lowerBound)...UInt8(protocols.upperBound),
            first: UInt16(first.lowerBound)...UInt16(first.upperBound),
            second: UInt16(second.lowerBound)...UInt16(second.upperBound), rule: rule)
    }
}

extension Box {
    fileprivate func contains(_ point: (UInt128, UInt8, UInt16, UInt16)) -> Bool {
        addresses.contains(point.0) && protocols.contains(point.1) && first.contains(point.2) && second.contains(point.3)
    }
}
