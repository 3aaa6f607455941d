/// Which numbers of a packet a rule looks at, and so which set of a group it is an element of.
enum Shape: String, CaseIterable {
    /// The protocol, or nothing.
    case any
    /// Protocol and destination port.
    case ports
    /// Protocol, source and destination port.
    case sports
    /// Type and code of ICMP.
    case icmp

    init(of rule: Rule) {
        if rule.icmp != nil {
            self = .icmp
        } else if rule.sourcePorts != nil {
            self = .sports
        } else {
            self = rule.ports != nil ? .ports : .any
        }
    }

    /// What rules differ in comes first: the kernel carries every element that fits so far on to the next field, and the protocol is nearly always
    /// the same (Docs/Decisions/0014).
    func key(_ family: Family) -> [FieldType] {
        switch self {
        case .any: [.inetProtocol]
        case .ports: [.inetService, .inetProtocol]
        case .sports: [.inetService, .inetService, .inetProtocol]
        case .icmp: family == .v4 ? [.icmpType, .icmpCode] : [.icmpv6Type, .icmpv6Code]
        }
    }

    /// Where a packet shows these numbers. A rule's source port is the port of the side that opened the flow.
    func selectors(_ way: Way, _ family: Family) -> [Selector] {
        let (source, destination) = ports(way)
        return switch self {
        case .any: [.l4proto]
        case .ports: [destination, .l4proto]
        case .sports: [destination, source, .l4proto]
        case .icmp: [.icmpType(family), .icmpCode(family)]
        }
    }

    /// The same as tests of a packet's own numbers, for a box that is no element of a set. What any packet would pass isn't tested, but for ports,
    /// which a packet may not have.
    func tests(_ box: Box, _ way: Way, _ family: Family) -> Statements {
        func test<T: FixedWidthInteger & UnsignedInteger>(_ selector: Selector, _ range: ClosedRange<T>, always: Bool = false) -> Statements
        {
            if range.lowerBound == range.upperBound { return [.equal(selector, UInt32(range.lowerBound))] }
            guard always || range != T.min...T.max else { return [] }
            return [.within(selector, UInt32(range.lowerBound)...UInt32(range.upperBound))]
        }
        let protocols = test(.l4proto, box.protocols)
        // As the header has them, which is the order of `nft`.
        let (first, second) = way == .original ? (box.first, box.second) : (box.second, box.first)
        return switch self {
        case .any: protocols
        case .ports: protocols + test(ports(way).destination, box.second, always: true)
        case .sports: protocols + test(.sourcePort, first, always: true) + test(.destinationPort, second, always: true)
        case .icmp:
            test(.icmpType(family), UInt8(box.first.lowerBound)...UInt8(box.first.upperBound), always: true)
                + test(.icmpCode(family), UInt8(box.second.lowerBound)...UInt8(box.second.upperBound))
        }
    }

    /// Where a packet shows the port that the flow was opened from, and the one that it was opened to.
    private func ports(_ way: Way) -> (source: Selector, destination: Selector) {
        way == .original ? (.sourcePort, .destinationPort) : (.destinationPort, .sourcePort)
    }

    /// The two bounds of a box in this shape's fields.
    func write(_ box: Box, upper: Bool, to key: inout KeyBytes) {
        func bound<T>(_ range: ClosedRange<T>) -> T { upper ? range.upperBound : range.lowerBound }
        switch self {
        case .any: key.octet(bound(box.protocols))
        case .ports:
            key.port(bound(box.second))
            key.octet(bound(box.protocols))
        case .sports:
            key.port(bound(box.second))
            key.port(bound(box.first))
            key.octet(bound(box.protocols))
        case .icmp:
            key.octet(UInt8(truncatingIfNeeded: bound(box.first)))
            key.octet(UInt8(truncatingIfNeeded: bound(box.second)))
        }
    }

    func box(of rule: Rule, addresses: ClosedRange<UInt128>) -> Box {
        let protocols = rule.protocol.map { $0.number...$0.number } ?? 0...255
        if let icmp = rule.icmp {
            let type = UInt16(icmp.type)
            return Box(
                addresses: addresses, protocols: protocols, first: type...type,
                second: icmp.code.map { UInt16($0)...UInt16($0) } ?? 0...255,
                rule: rule.id)
        }
        return Box(
            addresses: addresses, protocols: protocols, first: rule.sourcePorts?.range ?? 0...65535, second: rule.ports?.range ?? 0...65535,
            rule: rule.id)
    }

    /// The boxes as a reply shows them: of ICMP, requests have replies with a type of their own, of the same code.
    func replies(to boxes: [Box], _ family: Family) -> [Box] {
        guard self == .icmp else { return boxes }
        let pairs: [(request: UInt16, reply: UInt16)] = family == .v4 ? [(8, 0), (13, 14), (15, 16), (17, 18)] : [(128, 129)]
        return boxes.flatMap { box in
            pairs.compactMap { pair in
                guard box.first.contains(pair.request) else { return nil }
                var reply = box
                reply.first = pair.reply...pair.reply
                return reply
            }
        }
    }
}

extension Prefix {
    /// As numbers of the family's width.
    var numbers: ClosedRange<UInt128> { first.number...last.number }
}

extension IPAddress {
    var number: UInt128 {
        switch self {
        case .v4(let number): UInt128(number)
        case .v6(let number): number
        }
    }

    init(_ number: UInt128, _ family: Family) {
        self = family == .v4 ? .v4(UInt32(truncatingIfNeeded: number)) : .v6(number)
    }
}

extension PortRange {
    var range: ClosedRange<UInt16> { first...last }
}
