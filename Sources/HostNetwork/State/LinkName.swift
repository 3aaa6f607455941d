/// The name of a host side: `hw` and 11 characters of a hash of the pod's id.
///
/// The kernel gives a name 15 bytes (`IFNAMSIZ` less its NUL, linux/if.h), too few for most ids; the id itself is the
/// interface's alias.
package struct LinkName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: String

    package init(of pod: ID<Pod>) {
        value = "hw" + Self.base32(StableHash.of(pod.value), characters: 11)
    }

    /// A name as the kernel reports it; whether it is Hawser's is told by the link group, not by the name.
    package init(reported value: String) { self.value = value }

    package var description: String { value }

    package static func < (a: Self, b: Self) -> Bool { a.value < b.value }

    private static func base32(_ hash: UInt64, characters: Int) -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        let digits = (0..<characters).map { alphabet[Int(truncatingIfNeeded: hash >> (5 * UInt64($0))) & 31] }
        return String(decoding: digits, as: UTF8.self)
    }
}

/// FNV-1a, 64 bits, with a final avalanche: the same on every host and in every version, which Swift's own hashing is not.
package enum StableHash {
    package static func of(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ (hash >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ (hash >> 33)
    }
}
