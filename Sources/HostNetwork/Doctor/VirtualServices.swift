/// The services of IPVS, as `/proc/net/ip_vs` lists them (`ip_vs_info_seq_show`,
/// net/netfilter/ipvs/ip_vs_ctl.c).
///
///     IP Virtual Server version 1.2.1 (size=4096)
///     Prot LocalAddress:Port Scheduler Flags
///       -> RemoteAddress:Port Forward Weight ActiveConn InActConn
///     TCP  0A600001:01BB rr
///       -> 0A01000A:01BB      Masq    1      0          0
///     UDP  [fd00:0000:0000:0000:0000:0000:0000:0001]:0035 wlc
package struct VirtualServices: Hashable, Sendable {
    package private(set) var count = 0
    /// Some of the addresses that services are handed on to, each once.
    package private(set) var servers: Set<IPAddress> = []
    /// Lines that say nothing to this version.
    package private(set) var unknown = 0

    /// Addresses that are kept.
    private static let most = 10_000

    package init(listing: String) {
        for line in listing.split(separator: "\n").dropFirst(3) {
            let words = line.split(separator: " ")
            guard words.count >= 2 else { continue }
            if words[0] != "->" {
                count += 1
            } else if let address = Self.address(words[1]) {
                if servers.count < Self.most { servers.insert(address) }
            } else {
                unknown += 1
            }
        }
    }

    /// The address of "0A01000A:01BB" or "[fd00:…:0001]:01BB".
    private static func address(_ text: Substring) -> IPAddress? {
        if text.first == "[" { return try? IPAddress(parsing: text.dropFirst().prefix { $0 != "]" }) }
        let digits = text.prefix { $0 != ":" }
        guard digits.utf8.count == 8 else { return nil }
        return UInt32(digits, radix: 16).map { .v4($0) }
    }
}
