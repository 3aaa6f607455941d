/// Text that was meant to be an address, a prefix or a MAC address, and isn't.
package struct InvalidAddress: Error, Hashable, Sendable {
    /// The text as it was written.
    package let text: String
    /// What would be valid in its place.
    package let valid: String

    static func ip(_ text: some StringProtocol) -> InvalidAddress {
        InvalidAddress(text: String(text), valid: "an IPv4 address such as 10.1.0.10 or an IPv6 address such as fd00:1::10")
    }

    static func prefix(_ text: some StringProtocol) -> InvalidAddress {
        InvalidAddress(text: String(text), valid: "an address, or a prefix such as 10.1.0.0/24 or fd00:1::/64")
    }

    static func mac(_ text: some StringProtocol) -> InvalidAddress {
        InvalidAddress(text: String(text), valid: "six hexadecimal bytes such as 02:00:0a:01:00:0a")
    }
}

extension InvalidAddress: CustomStringConvertible {
    package var description: String { "\"\(text)\" is not \(valid)" }
}
