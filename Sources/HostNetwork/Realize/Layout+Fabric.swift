/// What comes by a tunnel. It is for pods alone: it goes neither on to another host, which would let two hosts that believe the other to
/// have a pod send its packets to and fro, nor out into the world, nor to the host itself.
extension Layout {
    static let fromTunnel = Named(.inet, "from-tunnel")

    var fabricChains: [Chain] {
        guard underlay != nil else { return [] }
        // What passes here is judged as any other packet that a pod receives.
        let fromTunnel = Chain(
            Self.fromTunnel,
            body: [
                [.unequal(.iifgroup, Marks.tunnelGroup), .verdict(.return)],
                [.equal(.oifgroup, Marks.linkGroup), .verdict(.accept)], [.counter, .verdict(.drop)],
            ])
        return [fromTunnel, toTunnels]
    }

    /// What becomes of a packet that no pod has sent.
    var others: Verdict { underlay == nil ? .return : .goto(Self.fromTunnel.name) }

    /// iifgroup 26742 counter drop
    var broughtByTunnel: [Statements] {
        underlay == nil
            ? []
            : [
                [.equal(.iifgroup, Marks.tunnelGroup), .counter, .verdict(.drop)],
                Self.isTunnelPacket + [.verdict(.jump(Self.toTunnels.name))],
            ]
    }

    private static let toTunnels = Named(.inet, "to-tunnels")

    /// Returns for what comes to the host's own address on the underlay, and drops what comes to any other, as a gateway's:
    /// the kernel's socket takes packets for each (`udp_tunnel_sock_cfg`, include/net/udp_tunnel.h).
    private var toTunnels: Chain {
        let own = underlay.map { Prefix($0.address) }
        return Chain(
            Self.toTunnels,
            body: (own.map { [[.among(.destination($0.family), AddressRange($0)), .verdict(.return)]] } ?? [])
                + [[.counter, .verdict(.drop)]])
    }

    // MARK: Tunnels that pods would make

    /// The subnets of the routing domain's networks: addresses of pods, and never of hosts.
    static func subnets(_ family: Family) -> NamedSet {
        NamedSet(
            Named(.inet, "subnets-\(family.digit)"), [family == .v4 ? .ipv4Address : .ipv6Address], isInterval: true)
    }

    var subnetSets: [Object] { Family.allCases.map { .set(Self.subnets($0)) } }

    /// meta l4proto udp th dport 4789 jump tunnelling
    ///
    /// A host takes whatever comes to VXLAN's port for another host's: a pod that reaches it puts packets into other
    /// networks (RFC 7348, section 7).
    private var refusingTunnels: [Statements] { [Self.isTunnelPacket + [.verdict(.jump(Self.tunnelling.name))]] }

    /// The host's own tunnels are no pod's to send to, whatever `host.fromPods` says.
    var tunnelsToHost: [Statements] { denied(.out, by: .iifname).map { Self.isTunnelPacket + $0 } }

    /// meta l4proto udp jump refused-udp
    ///
    /// Stands before the stamps are read: a flow that somebody opened to the pod, and that the pod's rules allow, may have
    /// such replies.
    var refusingPorts: [Statements] { [[.equal(.l4proto, 17), .verdict(.jump(Self.refusedPorts.name))]] }

    var refusedPortsChain: Chain { Chain(Self.refusedPorts, body: refusingTunnels + dhcpServers(to: "serving")) }

    private static let refusedPorts = Named(.inet, "refused-udp")

    static let tunnelling = Named(.inet, "tunnelling")
    private static let isTunnelPacket: Statements = [.equal(.l4proto, 17), .equal(.destinationPort, UInt32(Tunnel.port))]

    /// Returns for what is for another pod, which may have tunnels of its own.
    var tunnellingChain: Chain {
        Chain(
            Self.tunnelling,
            body: Family.allCases.map { [.lookup([.destination($0)], in: Self.subnets($0).id.name), .verdict(.return)] }
                + denied(.out, by: .iifname))
    }
}
