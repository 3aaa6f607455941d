extension IPAddress {
    /// Reads an address strictly: no leading zeros and no short forms in IPv4, no zone in IPv6 (RFC 4291, section 2.2).
    package init(parsing text: some StringProtocol) throws(InvalidAddress) {
        guard let address = IPAddress(text: Array(text.utf8)[...]) else { throw .ip(text) }
        self = address
    }

    init?(text: ArraySlice<UInt8>) {
        if text.contains(ASCII.colon) {
            guard let number = UInt128(ipv6: text) else { return nil }
            self = .v6(number)
        } else {
            guard let number = UInt32(ipv4: text) else { return nil }
            self = .v4(number)
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted quad, or the canonical form of RFC 5952 (IPv4-mapped addresses with their IPv4 part dotted, section 5).
    package var description: String {
        switch self {
        case .v4(let number): number.dottedQuad
        case .v6(let number) where number >> 32 == 0xffff: "::ffff:" + UInt32(truncatingIfNeeded: number).dottedQuad
        case .v6(let number): number.ipv6Text
        }
    }
}

/// The bytes of ASCII that addresses are written in.
enum ASCII {
    static let colon = UInt8(ascii: ":")
    static let dash = UInt8(ascii: "-")
    static let dot = UInt8(ascii: ".")
    static let slash = UInt8(ascii: "/")
    static let zero = UInt8(ascii: "0")
}

extension UInt8 {
    /// The value of a hexadecimal digit in ASCII, of either case.
    var hexDigit: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The lower-case hexadecimal digit, in ASCII, of a value below 16.
    var asHexDigit: UInt8 { self < 10 ? ASCII.zero + self : UInt8(ascii: "a") + self - 10 }
}

extension FixedWidthInteger {
    /// A plain decimal number: digits only, no sign, no leading zero, and within the type.
    init?(strictDecimal text: ArraySlice<UInt8>) {
        guard let first = text.first, text.count == 1 || first != ASCII.zero else { return nil }
        self = 0
        for byte in text {
            guard byte >= ASCII.zero, byte <= ASCII.zero + 9 else { return nil }
            let (product, tooLarge) = multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(Self(byte - ASCII.zero))
            guard !tooLarge, !overflow else { return nil }
            self = sum
        }
    }
}

extension UInt32 {
    init?(ipv4 text: ArraySlice<UInt8>) {
        self = 0
        var rest = text
        for position in 0..<4 {
            let digits = rest.prefix { $0 != ASCII.dot }
            guard let byte = UInt8(strictDecimal: digits) else { return nil }
            self = self << 8 | UInt32(byte)
            rest = rest.dropFirst(digits.count)
            guard rest.isEmpty == (position == 3) else { return nil }
            rest = rest.dropFirst()  // the dot
        }
    }

    var dottedQuad: String {
        var text: [UInt8] = []
        text.reserveCapacity(15)
        for shift in [24, 16, 8, 0] as [UInt32] {
            let byte = UInt8(truncatingIfNeeded: self >> shift)
            if byte >= 100 { text.append(ASCII.zero + byte / 100) }
            if byte >= 10 { text.append(ASCII.zero + byte / 10 % 10) }
            text.append(ASCII.zero + byte % 10)
            if shift > 0 { text.append(ASCII.dot) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension UInt128 {
    init?(ipv6 text: ArraySlice<UInt8>) {
        var number: UInt128 = 0
        var groups = 0  // of 16 bits each
        var gap: Int?  // how many groups stand before "::"
        var rest = text
        if rest.starts(with: [ASCII.colon, ASCII.colon]) {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let digits = rest.prefix { $0 != ASCII.colon }
            if digits.contains(ASCII.dot) {  // only at the end, as in ::ffff:192.0.2.1
                guard digits.count == rest.count, let tail = UInt32(ipv4: digits) else { return nil }
                number = number << 32 | UInt128(tail)
                groups += 2
                break
            }
            guard groups < 8, let group = UInt16(hexGroup: digits) else { return nil }
            number = number << 16 | UInt128(group)
            groups += 1
            rest = rest.dropFirst(digits.count)
            if rest.isEmpty { break }
            rest = rest.dropFirst()  // the colon
            if rest.first == ASCII.colon {
                guard gap == nil else { return nil }
                gap = groups
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        guard let gap else {
            guard groups == 8 else { return nil }
            self = number
            return
        }
        guard groups < 8 else { return nil }  // "::" stands for one group at least
        let tail = (groups - gap) * 16
        let head = gap == 0 ? 0 : (number >> UInt128(tail)) << UInt128(128 - gap * 16)
        self = head | (number & ((1 << UInt128(tail)) - 1))
    }

    /// Lower case, no leading zeros, the first of the longest runs of two or more zero groups as "::" (RFC 5952, section 4).
    var ipv6Text: String {
        var longest = 0..<0
        var run = 0..<0
        for index in 0..<8 {
            run = group(index) != 0 ? index + 1..<index + 1 : run.lowerBound..<index + 1
            if run.count > 1, run.count > longest.count { longest = run }
        }
        var text = ""
        var index = 0
        while index < 8 {
            if index == longest.lowerBound, !longest.isEmpty {
                text += "::"
                index = longest.upperBound
            } else {
                if index > 0, index != longest.upperBound || longest.isEmpty { text += ":" }
                text += String(group(index), radix: 16)
                index += 1
            }
        }
        return text
    }

    private func group(_ index: Int) -> UInt16 { UInt16(truncatingIfNeeded: self >> UInt128(16 * (7 - index))) }
}

extension UInt16 {
    fileprivate init?(hexGroup text: ArraySlice<UInt8>) {
        guard (1...4).contains(text.count) else { return nil }
        self = 0
        for byte in text {
            guard let digit = byte.hexDigit else { return nil }
            self = self << 4 | UInt16(digit)
        }
    }
}
