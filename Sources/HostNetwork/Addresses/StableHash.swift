/// Hashes that are the same in every process, release and machine: names and addresses are derived from them.
package enum StableHash {
    /// FNV-1a with 64 bits (draft-eastlake-fnv, section 2).
    package static func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
