package import HostNetwork

/// What happened to Hawser's links of one routing domain, and to what is on their host sides.
///
/// Most of it is told as what is there now, so that it is news only to one who believes otherwise: the kernel doesn't always say who did it, and
/// much of it is Hawser's own doing.
package enum LinkEvent: Hashable, Sendable {
    /// What a link itself is like.
    package struct HostSide: Hashable, Sendable {
        package var isUp: Bool
        /// Bytes.
        package var mtu: Int
        package var mac: MAC
        package var alias: String

        package init(isUp: Bool, mtu: Int, mac: MAC, alias: String) {
            self.isUp = isUp
            self.mtu = mtu
            self.mac = mac
            self.alias = alias
        }
    }

    /// The link is gone, as when its pod's namespace ended, or is in another namespace.
    case gone(LinkName)
    case renamed(LinkName, to: LinkName)
    /// It isn't in Hawser's link group any more; its number.
    case unmarked(LinkName, Int32)
    case became(LinkName, HostSide)
    /// Something of it changed that isn't told here.
    case changed(LinkName)
    case has(Object)
    case lacks(Object.Key)
    /// Somebody's route took the place of Hawser's to a destination.
    case usurped(Prefix, LinkName?)
    /// Routes out of interfaces that aren't Hawser's may have gone with them.
    case elsewhere
}
