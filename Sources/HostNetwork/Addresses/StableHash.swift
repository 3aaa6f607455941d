/// Hashes that are the same in every process, release and machine: names and addresses are derived from them.
package enum StableHash {
    /// FNV-1a with 64 bits (draft-eastlake-fnv, section 2).
    package static func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// The lowest bits of a hash as text (RFC 4648, section 6, in lower case).
    package static func base32(_ hash: UInt64, characters: Int) -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        let digits = (0..<characters).map { alphabet[Int(truncatingIfNeeded: hash >> (5 * UInt64($0))) & 31] }
        return String(decoding: digits, as: UTF8.self)
    }

    /// FNV-1a with a final avalanche (the finaliser of MurmurHash3), for when only some of the bits are kept.
    package static func mixed(_ text: String) -> UInt64 {
        var hash = fnv1a(text.utf8)
        hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ (hash >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ (hash >> 33)
    }
}
