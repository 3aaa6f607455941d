import HostNetwork

/// How single values are spelled.
enum SettingText {
    @Sendable static func isAbsolute(_ text: String) -> Bool { text.hasPrefix("/") && !text.contains("\0") }

    /// "192.0.2.1:50001", "[::]:50001", "name.example:9016".
    static func isAddressAndPort(_ text: String) -> Bool {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return false }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            return (try? IPAddress(parsing: host.dropFirst().dropLast()))?.family == .v6
        }
        return !host.isEmpty && !host.contains(":")
    }

    /// The same with an address alone: what one can listen on.
    static func isIPAddressAndPort(_ text: String) -> Bool {
        guard isAddressAndPort(text), let colon = text.lastIndex(of: ":") else { return false }
        return text.hasPrefix("[") || (try? IPAddress(parsing: text[..<colon])) != nil
    }

    private static let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]

    @Sendable static func size(_ text: String) -> Int? {
        for (name, factor) in units where text.hasSuffix(name) {
            guard let count = Int(text.dropLast(name.count)), count > 0 else { return nil }
            let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
            return overflow ? nil : bytes
        }
        return Int(text).flatMap { $0 > 0 ? $0 : nil }
    }

    @Sendable static func size(_ bytes: Int) -> String {
        for (name, factor) in units where bytes % factor == 0 { return "\(bytes / factor)\(name)" }
        return "\(bytes)"
    }

    @Sendable static func duration(_ text: String) -> Duration? {
        let digits = text.prefix(while: \.isNumber)
        guard let count = Int64(digits), (1...1_000_000_000).contains(count) else { return nil }
        return switch text.dropFirst(digits.count) {
        case "s": .seconds(count)
        case "ms": .milliseconds(count)
        default: nil
        }
    }

    @Sendable static func duration(_ time: Duration) -> String {
        let (seconds, attoseconds) = time.components
        return attoseconds == 0 ? "\(seconds)s" : "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms"
    }

    @Sendable static func mask(_ text: String) -> UInt32? {
        let bits = text.hasPrefix("0x") ? UInt32(text.dropFirst(2), radix: 16) : UInt32(text)
        guard let bits, (try? MarkLayout(mask: bits)) != nil else { return nil }
        return bits
    }

    @Sendable static func mask(_ bits: UInt32) -> String { "0x" + String(bits, radix: 16) }

    @Sendable static func rate(_ text: String) -> Rate? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(parts[0]), count > 0, let unit = Rate.Unit(rawValue: String(parts[1])) else { return nil }
        return Rate(count: count, unit: unit)
    }
}
