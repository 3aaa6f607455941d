/// The tunnels of a network, there while a pod of this host is attached to it: nobody else here could use them, and a network's namespace
/// lives as long. All of its tunnels, for a packet comes in that of its receiver's subnet, whatever subnet its sender is in.
struct TunnelsPart {
    var network: Network
    var underlay: Underlay

    var entries: [Entry] {
        network.tunnelIDs.map { Entry(.tunnel(Tunnel(id: $0, network: network.id, over: underlay)), because: network.id.intent) }
    }
}

/// What leads to one neighbor, there while a pod of this host is attached to its network.
///
/// Each neighbor is a part of its own, so that one among ten thousand costs what one alone costs. What leads to its host is claimed by every
/// neighbor there.
struct NeighborPart {
    var neighbor: Neighbor
    var network: Network
    var underlay: Underlay?

    var entries: [Entry] {
        guard let host = neighbor.host, host != underlay?.address else { return [] }
        return neighbor.addresses.flatMap { address -> [Object] in
            switch network.reach(of: address, at: host, from: underlay) {
            case .others, .nowhere: return []
            case .host: return [.route(Route(nil, to: Prefix(address), through: host))]
            case .tunnel(let id):
                let link = LinkName(of: id)
                return [
                    .forwarding(ForwardingEntry(link, to: host)),
                    .neighbor(NeighborEntry(End(link, .host), address, at: MAC(ofHost: host))),
                    .route(Route(End(link, .host), to: Prefix(address))),
                ]
            }
        }.map { Entry($0, because: neighbor.id.intent) }
    }
}

/// By which way packets get to an address on another host.
enum Reach: Hashable {
    /// Not by Hawser's doing.
    case others
    /// Through the host, as through a router.
    case host
    case tunnel(TunnelID)
    /// By none: on what it waits, as in "waits for …".
    case nowhere(String)
}

extension Network {
    func reach(of address: IPAddress, at host: IPAddress, from underlay: Underlay?) -> Reach {
        switch fabricInForce {
        case .none: return .others
        case .routed:
            guard address.family == .v4 || host.family == .v6 else {
                return .nowhere("an IPv6 address of its host, for \(address) can't be routed through \(host)")
            }
            return .host
        case .vxlan:
            guard let underlay else { return .nowhere("the host's own address (setting host.address)") }
            guard host.family == underlay.address.family else {
                return .nowhere("an \(underlay.address.family) address of its host, for this host's own is \(underlay.address)")
            }
            guard let tunnel = tunnelID(of: address) else {
                return .nowhere("a tunnelID of subnet \(subnet(of: address)?.id ?? "")")
            }
            return .tunnel(tunnel)
        }
    }

    /// Whether nothing differs that tunnels, and what leads to neighbors, depend on.
    func hasSameFabric(as other: Network) -> Bool {
        fabricInForce == other.fabricInForce
            && (fabricInForce == .none
                || (tunnelID == other.tunnelID
                    && subnets.elementsEqual(other.subnets) { $0.cidr == $1.cidr && $0.tunnelID == $1.tunnelID }))
    }
}

extension Intents {
    /// On what a neighbor of a network with a fabric waits before its addresses can be reached, as in "waits for …", each once.
    package func unmet(for id: ID<Neighbor>, over underlay: Underlay?) -> [String] {
        guard let neighbor = neighbors[id], let network = networks[neighbor.network], network.fabricInForce != .none else {
            return []
        }
        guard let host = neighbor.host else { return ["the address of its host (field host)"] }
        var waits: [String] = []
        for address in neighbor.addresses {
            if case .nowhere(let reason) = network.reach(of: address, at: host, from: underlay), !waits.contains(reason) {
                waits.append(reason)
            }
        }
        return waits
    }
}

extension Desired {
    package func unmet(for id: ID<Neighbor>) -> [String] { intents.unmet(for: id, over: layout.underlay) }

    /// Of a pod's interface, in bytes: its own, or else the most that its network carries.
    package func mtu(of pod: Pod) -> Int { pod.mtu(in: intents.networks[pod.network], over: layout.underlay) }
}

extension Pod {
    /// Of its interface, in bytes.
    package func mtu(in network: Network?, over underlay: Underlay?) -> Int {
        mtu ?? network?.mtu(over: underlay) ?? Network.mtu
    }
}

extension Network {
    /// Of an interface of which nothing else is known: bytes.
    static let mtu = 1500

    /// Of its pods' interfaces, unless they are told otherwise: the most that it carries, in bytes.
    package func mtu(over underlay: Underlay?) -> Int {
        guard let underlay, fabricInForce == .vxlan else { return Self.mtu }
        return Tunnel.mtu(over: underlay)
    }
}
