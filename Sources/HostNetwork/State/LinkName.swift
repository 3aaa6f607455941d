/// The name of a link of the host's. A host side's is `hw` and 11 characters of a hash of the pod's id.
///
/// The kernel gives a name 15 bytes (`IFNAMSIZ` less its NUL, linux/if.h), too few for most ids; the id itself is the
/// interface's alias.
package struct LinkName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: String

    package init(of pod: ID<Pod>) {
        value = "hw" + StableHash.base32(StableHash.mixed(pod.value), characters: Self.characters)
    }

    private static let characters = 11

    /// Returns the bits of the hash that are in a host side's name: two pods with the same would have one interface.
    static func digits(of pod: ID<Pod>) -> UInt64 { StableHash.mixed(pod.value) & (1 << UInt64(5 * characters) - 1) }

    /// A VXLAN device's: `hx` and its identifier, at most 8 digits. No host side is called so: theirs begin with `hw`.
    package init(of tunnel: TunnelID) { value = Self.tunnelPrefix + tunnel.description }

    private static let tunnelPrefix = "hx"

    /// Whether it is a VXLAN device's rather than a host side's.
    package var isTunnel: Bool { value.hasPrefix(Self.tunnelPrefix) }

    /// A name as the kernel reports it; whether it is Hawser's is told by the link group, not by the name.
    package init(reported value: String) { self.value = value }

    package var description: String { value }

    package static func < (a: Self, b: Self) -> Bool { a.value < b.value }

}
