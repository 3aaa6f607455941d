/// The name of one resource; ids of two kinds don't mix, and an id is unique only within its kind.
package struct ID<Of>: Hashable, Sendable {
    package let value: String

    package init(_ value: String) { self.value = value }
}

extension ID: Comparable {
    package static func < (left: ID, right: ID) -> Bool { left.value < right.value }
}

extension ID: CustomStringConvertible {
    package var description: String { value }
}

extension ID: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
}

/// The rule for ids, whatever they name.
package enum IDText {
    package static let valid = "1 to 253 characters of letters, digits and . _ : / -"

    package static func isValid(_ text: some StringProtocol) -> Bool {
        (1...253).contains(text.utf8.count) && text.utf8.allSatisfy(isAllowed)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
