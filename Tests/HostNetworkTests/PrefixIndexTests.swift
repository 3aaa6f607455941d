import PolicyModel
import Testing

@testable import HostNetwork

@Suite("An index of prefixes") struct PrefixIndexTests {
    /// Few addresses and all lengths, so that prefixes are nested, side by side and the same.
    private func prefix(_ random: inout Seeded) -> Prefix {
        let number = UInt32(random.number(0...255))
        let length = random.number(0...8)
        let isV4 = !random.once(in: 3)
        let address: IPAddress = isV4 ? .v4(number << 24) : .v6(UInt128(number) << 120)
        return Prefix(address, length: length) ?? .everything(.v4)
    }

    @Test("finds what overlaps a prefix exactly where one compared with all of them does, whatever came and went", arguments: 0..<40)
    func findsAll(seed: Int) {
        var random = Seeded(seed)
        var index = PrefixIndex<Int>()
        var all: Set<[Int]> = []
        var known: [Prefix] = []
        for _ in 0..<120 {
            let owner = random.number(0...3)
            let place: Int
            if let old = random.once(in: 2) ? known.indices.randomElement(using: &random) : nil {
                place = old
            } else {
                place = known.endIndex
                known.append(prefix(&random))
            }
            if random.once(in: 3) {
                index.remove(owner, at: known[place])
                all = all.filter { !($0[0] == owner && known[$0[1]] == known[place]) }
            } else {
                index.insert(owner, at: known[place])
                all.insert([owner, place])
            }
            let asked = prefix(&random)
            let besides = random.number(0...3)
            let wanted = all.filter { $0[0] != besides && known[$0[1]].overlaps(asked) }
            let found = index.first(overlapping: asked) { $0 != besides }
            #expect((found == nil) == wanted.isEmpty, "\(asked) besides \(besides)")
            if let found {
                #expect(wanted.contains { $0[0] == found.owner && known[$0[1]] == found.prefix }, "\(found)")
                #expect(!wanted.contains { known[$0[1]].length < min(found.prefix.length, asked.length) }, "the widest: \(found)")
            }
        }
        var again = PrefixIndex<Int>()
        for entry in all.shuffled(using: &random) { again.insert(entry[0], at: known[entry[1]]) }
        #expect(again == index)
    }
}
