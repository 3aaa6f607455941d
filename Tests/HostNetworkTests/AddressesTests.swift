import HostNetwork
import PolicyModel
import Testing

@Suite("Addresses") struct AddressesTests {
    @Test("are read back from what they print, and from their bytes", arguments: 0..<20)
    func roundTrip(seed: Int) throws {
        var random = Seeded(seed)
        for _ in 0..<200 {
            let address = random.address()
            #expect(try IPAddress(parsing: address.description) == address)
            #expect(IPAddress(bytes: address.bytes) == address)
            #expect(address.bytes.count * 8 == address.bits)
            let prefix = random.prefix()
            #expect(try Prefix(parsing: prefix.description) == prefix)
            let mac = random.mac()
            #expect(try MAC(parsing: mac.description) == mac)
            #expect(MAC(bytes: mac.bytes) == mac)
        }
    }

    @Test("are the same however IPv6 is spelled", arguments: 0..<20)
    func spellings(seed: Int) throws {
        var random = Seeded(seed)
        for _ in 0..<200 {
            guard case .v6(let number) = random.address() else { continue }
            #expect(try IPAddress(parsing: random.spelling(of: number)) == .v6(number))
        }
    }

    @Test(
        "print as RFC 5952 wants",
        arguments: [
            ("0:0:0:0:0:0:0:0", "::"), ("0:0:0:0:0:0:0:1", "::1"), ("1:0:0:0:0:0:0:0", "1::"), ("2001:DB8::0001", "2001:db8::1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::ffff:c000:201", "::ffff:192.0.2.1"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            ("fd00:0001::0010", "fd00:1::10"), ("10.1.0.10", "10.1.0.10"),
        ])
    func canonical(written: String, printed: String) throws {
        #expect(try IPAddress(parsing: written).description == printed)
    }

    @Test(
        "are refused when they aren't written properly",
        arguments: [
            "", " ", ":", ":::", "1:::2", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "::1%eth0",
            "g::", "1:", ":1",
            "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5", "::01.2.3.4", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "1.2.3.-4", "1.2.3.4 ",
            "0x1.2.3.4",
            "1..2.3", "١.2.3.4", "::1/64", "1.2.3.4/8", "web-0",
        ])
    func strict(text: String) {
        #expect(throws: InvalidAddress.self) { try IPAddress(parsing: text) }
    }

    @Test("sort by family, then by number")
    func order() throws {
        let sorted = try ["0.0.0.0", "9.255.255.255", "10.0.0.0", "255.255.255.255", "::", "::1", "fd00::"].map {
            try IPAddress(parsing: $0)
        }
        #expect(sorted.reversed().sorted() == sorted)
        #expect(sorted.map { $0.successor?.description } == ["0.0.0.1", "10.0.0.0", "10.0.0.1", nil, "::1", "::2", "fd00::1"])
    }

    @Test(
        "say why no interface can have them",
        arguments: [
            ("0.0.0.0", true), ("127.0.0.1", true), ("224.0.0.251", true), ("255.255.255.255", true), ("10.1.0.10", false), ("::", true),
            ("::1", true), ("ff02::1", true), ("fe80::1", true), ("febf::1", true), ("fec0::1", false), ("::ffff:10.1.0.10", true),
            ("fd00:1::10", false),
        ])
    func special(text: String, isSpecial: Bool) throws {
        #expect((try IPAddress(parsing: text).notAssignable != nil) == isSpecial)
    }
}

@Suite("A prefix") struct AddressesPrefixTests {
    @Test(
        "is normalised when it is read",
        arguments: [
            ("10.1.0.77/24", "10.1.0.0/24"), ("10.1.0.77", "10.1.0.77/32"), ("255.255.255.255/0", "0.0.0.0/0"),
            ("fd00:1::10/64", "fd00:1::/64"),
            ("fd00:1::10", "fd00:1::10/128"), ("ffff::/0", "::/0"), ("10.1.0.77/31", "10.1.0.76/31"), ("::1/127", "::/127"),
        ])
    func normal(written: String, printed: String) throws {
        #expect(try Prefix(parsing: written).description == printed)
    }

    @Test(
        "is refused when it isn't written properly",
        arguments: [
            "", "/", "/24", "10.1.0.0/", "10.1.0.0/33", "10.1.0.0/-1", "10.1.0.0/024", "10.1/16", "fd00::/129", "fd00::/64/64",
            "10.1.0.0/a",
        ])
    func strict(text: String) {
        #expect(throws: InvalidAddress.self) { try Prefix(parsing: text) }
    }

    @Test("contains exactly the addresses from its first to its last", arguments: 0..<20)
    func extent(seed: Int) {
        var random = Seeded(seed)
        for _ in 0..<200 {
            let prefix = random.prefix()
            let address = random.once(in: 2) ? random.address() : prefix.last.successor ?? prefix.first
            let within = address.family == prefix.family && prefix.first <= address && address <= prefix.last
            #expect(prefix.contains(address) == within)
            #expect(prefix.contains(prefix.first) && prefix.contains(prefix.last))
            #expect(prefix.isHost == (prefix.first == prefix.last))
            let other = random.once(in: 2) ? random.prefix() : Prefix(address, length: random.number(0...address.bits)) ?? prefix
            let shared = prefix.family == other.family && max(prefix.first, other.first) <= min(prefix.last, other.last)
            #expect(prefix.overlaps(other) == shared)
            #expect(prefix.contains(other) == (other.family == prefix.family && prefix.first <= other.first && other.last <= prefix.last))
        }
    }
}

@Suite("A MAC address") struct AddressesMACTests {
    @Test("is read with short bytes, dashes and capitals", arguments: ["6c:dd:ee:0:0:1", "6C-DD-EE-00-00-01", "6c:dd:ee:00:00:01"])
    func lenient(text: String) throws {
        #expect(try MAC(parsing: text).description == "6c:dd:ee:00:00:01")
    }

    @Test(
        "is refused when it isn't written properly",
        arguments: [
            "", "6c:dd:ee:0:0", "6c:dd:ee:0:0:1:2", "6c:dd:ee:0:0:", "6c:dd-ee:0:0:1", "6c:dd:ee:0:0:001", "6cddee000001", "6g:dd:ee:0:0:1",
        ])
    func strict(text: String) {
        #expect(throws: InvalidAddress.self) { try MAC(parsing: text) }
    }

    @Test(
        "derived from a name is unicast, locally administered, and always the same", arguments: ["web-0", "web-1", "", "default/nginx-7d"])
    func derived(name: String) {
        let mac = MAC(derivedFrom: name)
        #expect(mac.isUnicast && mac.bytes[0] & 0x03 == 0x02)
        #expect(mac == MAC(derivedFrom: name) && mac != MAC(derivedFrom: name + "x"))
    }

    @Test("derived from web-0 is the one that it was in every release")
    func stable() {
        #expect(StableHash.fnv1a("foobar".utf8) == 0x8594_4171_f739_67e8)  // draft-eastlake-fnv, appendix C
        #expect(MAC(derivedFrom: "web-0").description == "c2:2e:09:5c:20:6c")
    }

    @Test("of a group or of zeros belongs to no interface")
    func unicast() throws {
        #expect(try !MAC(parsing: "01:00:5e:00:00:01").isUnicast)
        #expect(try !MAC(parsing: "00:00:00:00:00:00").isUnicast)
        #expect(try MAC(parsing: "00:00:5e:00:01:01").isUnicast)
    }
}

@Suite("Names") struct AddressesNameTests {
    @Test("of kinds are understood as people type them")
    func kinds() {
        for kind in Kind.allCases {
            for text in [
                kind.rawValue, kind.rawValue + "s", kind.words.uppercased(), kind.words.split(separator: " ").joined(separator: "-"),
            ] {
                #expect(Kind(named: text) == kind, "\(text)")
            }
        }
        #expect(
            Kind(named: "group") == .securityGroup && Kind(named: "Ports") == .pod && Kind(named: "vm") == nil && Kind(named: "") == nil)
    }

    @Test("are 1 to 253 characters of a few kinds")
    func ids() {
        for text in ["a", "web-0", "default/nginx", "A.b_c:9", String(repeating: "x", count: 253)] { #expect(IDText.isValid(text)) }
        for text in ["", "a b", "å", "a\n", "a\"", String(repeating: "x", count: 254)] { #expect(!IDText.isValid(text)) }
    }

    @Test("say their kind in plain words, and sort in the order in which kinds are taken in")
    func intents() {
        #expect(IntentID(.securityGroup, "web").description == "security group web")
        let sorted = [IntentID(.network, "z"), IntentID(.securityGroup, "b"), IntentID(.pod, "a"), IntentID(.pod, "b")]
        #expect(sorted.reversed().sorted() == sorted)
    }
}

extension Seeded {
    /// One of the many ways to write an IPv6 address.
    fileprivate mutating func spelling(of number: UInt128) -> String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: number >> UInt128(112 - 16 * $0)) }
        var words = groups.map { group in
            let digits = String(group, radix: 16, uppercase: once(in: 2))
            return once(in: 2) ? String(repeating: "0", count: 4 - digits.count) + digits : digits
        }
        if once(in: 3) {
            words.removeLast(2)
            words.append(IPAddress.v4(UInt32(truncatingIfNeeded: number)).description)
        }
        let zeros = words.indices.filter { words[$0].allSatisfy { $0 == "0" } }
        guard let start = zeros.randomElement(using: &self) else { return words.joined(separator: ":") }
        var end = start + 1
        while zeros.contains(end), once(in: 2) { end += 1 }
        return words[..<start].joined(separator: ":") + "::" + words[end...].joined(separator: ":")
    }
}
