/// Names of chains and sets: a role, a slash, and the id that it serves, so that a listing can be read by a person.
package enum Naming {
    /// Longest id that stands in a name as it is; the kernel gives names 255 bytes (`NFT_NAME_MAXLEN`, linux/netfilter/nf_tables.h).
    static let longest = 128

    /// A name that no other role and id share.
    ///
    /// An id of letters, digits and `._/-` stands as it is. Any other gets a readable stand-in and, behind two slashes, a
    /// hash of the id; an id with two slashes of its own is always treated so.
    package static func name(_ role: String, _ id: String) -> String {
        isPlain(id) ? "\(role)/\(id)" : "\(role)/\(hashed(id, readable: id))"
    }

    /// The same for what serves two ids, such as a group's rules about one remote group.
    package static func name(_ role: String, _ id: String, and other: String) -> String {
        "\(role)/\(hashed("\(id)\u{0}\(other)", readable: "\(id)..\(other)"))"
    }

    private static func isPlain(_ id: String) -> Bool {
        guard id.utf8.count <= longest else { return false }
        var previous: UInt8 = 0
        for byte in id.utf8 {
            guard isLegal(byte), !(byte == slash && previous == slash) else { return false }
            previous = byte
        }
        return true
    }

    private static func hashed(_ id: String, readable: String) -> String {
        let stand = readable.utf8.prefix(96).map { isLegal($0) && $0 != slash ? $0 : UInt8(ascii: "_") }
        return "\(String(decoding: stand, as: UTF8.self))//\(String(StableHash.mixed(id), radix: 36))"
    }

    private static let slash = UInt8(ascii: "/")

    /// What `nft` reads back inside a name (its scanner's `string`).
    private static func isLegal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), slash: true
        default: false
        }
    }
}
