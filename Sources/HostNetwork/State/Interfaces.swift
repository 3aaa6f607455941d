/// One end of a pod's veth pair.
package struct End: Hashable, Sendable {
    package enum Side: Hashable, Sendable { case host, pod }

    /// The pair, named by its host side.
    package var link: LinkName
    package var side: Side

    package init(_ link: LinkName, _ side: Side) {
        self.link = link
        self.side = side
    }
}

/// A pod's veth pair: both ends, for they are born and die together.
package struct Link: Hashable, Sendable {
    /// How the host checks the source of what the pod sends (`rp_filter`, Documentation/networking/ip-sysctl.rst).
    package enum ReversePath: UInt32, Hashable, Sendable { case off = 0, strict = 1, loose = 2 }

    package var name: LinkName
    /// Also the host side's alias, and `pod-<id>` as its alternative name where that is a legal one.
    package var pod: ID<Pod>
    /// MAC of the host side: what the pod's gateway resolves to.
    package var hostMAC: MAC
    /// The path of the pod's network namespace.
    package var namespace: String
    /// The pod side's name, inside that namespace.
    package var interface: String
    /// MAC of the pod side.
    package var mac: MAC
    /// Bytes, both ends.
    package var mtu: Int
    package var isUp: Bool
    package var reversePath: ReversePath

    package init(
        name: LinkName, pod: ID<Pod>, hostMAC: MAC, namespace: String, interface: String, mac: MAC, mtu: Int, isUp: Bool,
        reversePath: ReversePath
    ) {
        self.name = name
        self.pod = pod
        self.hostMAC = hostMAC
        self.namespace = namespace
        self.interface = interface
        self.mac = mac
        self.mtu = mtu
        self.isUp = isUp
        self.reversePath = reversePath
    }

    /// Whether `self` can become `other` without being made anew. Another alias is no other pair: the name comes from the pod's id.
    package func canBecome(_ other: Link) -> Bool {
        name == other.name && namespace == other.namespace && interface == other.interface
    }
}

/// An address of one end, always with the full prefix length: /32 or /128, without duplicate address detection.
package struct InterfaceAddress: Hashable, Sendable {
    package var end: End
    package var address: IPAddress

    package init(_ end: End, _ address: IPAddress) {
        self.end = end
        self.address = address
    }
}

/// A route out of one end. On the host side it carries Hawser's protocol number (`rtm_protocol`).
package struct Route: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case way
        /// The table has nothing to say about the destination, and the next rule goes on (`RTN_THROW`).
        case exception
        /// Where there is no way in the table, none by another is taken: it is the last resort, after every other route to the destination
        /// (`RTN_UNREACHABLE`).
        case barrier
    }

    package var kind = Kind.way
    package var table = RouteTable.main
    /// Nil: out of whatever interface leads to the gateway, which is another host's address on the underlay.
    package var end: End?
    package var destination: Prefix
    /// The next hop; out of an end it is taken to be on the link whatever the addresses say (`RTNH_F_ONLINK`). None: the destination is on
    /// the link. It may be of IPv6 where the destination is of IPv4 (`RTA_VIA`, linux/rtnetlink.h), not the other way round.
    package var gateway: IPAddress?

    package init(_ end: End?, to destination: Prefix, through gateway: IPAddress? = nil) {
        self.end = end
        self.destination = destination
        self.gateway = gateway
    }

    /// One of the host's that leads nowhere.
    package init(_ kind: Kind, to destination: Prefix, in table: RouteTable) {
        self.init(nil, to: destination)
        self.kind = kind
        self.table = table
    }

    package func placed(in table: RouteTable) -> Route {
        var route = self
        route.table = table
        return route
    }

    package var side: End.Side { end?.side ?? .host }
}

/// A permanent neighbor entry (`NUD_PERMANENT`) at one end.
package struct NeighborEntry: Hashable, Sendable {
    package var end: End
    package var address: IPAddress
    package var mac: MAC

    package init(_ end: End, _ address: IPAddress, at mac: MAC) {
        self.end = end
        self.address = address
        self.mac = mac
    }
}
