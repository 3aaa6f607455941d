import HostNetwork
import PolicyModel
import OwnThreads
import Testing

@Suite("The union of prefixes", .ownThreads) struct AddressesUnionTests {
    /// Where the window of 256 addresses lies: in the middle and at either end of both families.
    static let windows: [IPAddress] = [.v4(0), .v4(0x0a01_0000), .v4(.max - 255), .v6(0), .v6(0xfd00 << 112), .v6(.max - 255)]

    @Test("is exact: as many ranges as needed, with every address of a prefix and no other", arguments: windows, 0..<10)
    func exact(base: IPAddress, seed: Int) {
        var random = Seeded(seed)
        for _ in 0..<20 {
            let prefixes = (0..<random.number(0...6)).compactMap { _ in
                Prefix(base.advanced(by: random.number(0...255)), length: base.bits - random.number(0...5))
            }
            let union = Prefix.disjointUnion(prefixes)
            var runs = 0
            var wasIn = false
            for offset in 0..<256 {
                let address = base.advanced(by: offset)
                let isIn = prefixes.contains { $0.contains(address) }
                #expect(union.contains { $0.contains(address) } == isIn)
                if isIn, !wasIn { runs += 1 }
                wasIn = isIn
            }
            #expect(union.count == runs)
            #expect(union == union.sorted())
        }
    }

    @Test("less others is exact, too: what none of them has", arguments: windows, 0..<10)
    func subtracted(base: IPAddress, seed: Int) {
        var random = Seeded(seed)
        for _ in 0..<20 {
            let ranges = (0..<random.number(1...5)).compactMap { _ -> AddressRange? in
                let first = random.number(0...255)
                return AddressRange(base.advanced(by: first), base.advanced(by: random.number(first...255)))
            }
            let others = ranges.dropFirst()
            let left = ranges[0].subtracting(others)
            for offset in 0..<256 {
                let address = base.advanced(by: offset)
                let isLeft = ranges[0].contains(address) && !others.contains { $0.contains(address) }
                #expect(left.contains { $0.contains(address) } == isLeft)
            }
            #expect(left == AddressRange.disjointUnion(left))
        }
    }

    @Test("keeps the families apart, even where the one ends and the other begins")
    func families() throws {
        let union = Prefix.disjointUnion([.everything(.v6), .everything(.v4), try Prefix(parsing: "::1")])
        #expect(union == [AddressRange(.everything(.v4)), AddressRange(.everything(.v6))])
    }

    @Test("joins neighbors and nested ones, in any order")
    func examples() throws {
        let prefixes = try ["10.0.1.0/24", "10.0.0.0/24", "10.0.0.128/25", "10.0.3.0/24"].map { try Prefix(parsing: $0) }
        #expect(Prefix.disjointUnion(prefixes).map(\.description) == ["10.0.0.0-10.0.1.255", "10.0.3.0-10.0.3.255"])
        #expect(Prefix.disjointUnion(prefixes.reversed()) == Prefix.disjointUnion(prefixes))
    }
}

extension IPAddress {
    fileprivate func advanced(by offset: Int) -> IPAddress {
        switch self {
        case .v4(let number): .v4(number + UInt32(offset))
        case .v6(let number): .v6(number + UInt128(offset))
        }
    }
}
