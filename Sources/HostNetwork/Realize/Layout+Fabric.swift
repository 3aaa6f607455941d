/// What comes by a tunnel. It is for pods alone: it goes neither on to another host, which would let two hosts that believe the other to
/// have a pod send its packets to and fro, nor out into the world, nor to the host itself.
extension Layout {
    static let fromTunnel = Named(.inet, "from-tunnel")

    var fabricChains: [Chain] {
        guard underlay != nil else { return [] }
        // What passes here is judged as any other packet that a pod receives.
        return [Chain(Self.fromTunnel, body: [[.equal(.oifgroup, Marks.linkGroup), .verdict(.accept)], [.counter, .verdict(.drop)]])]
    }

    /// iifgroup 26742 goto from-tunnel
    var forwardedByTunnel: [Statements] {
        underlay == nil ? [] : [[.equal(.iifgroup, Marks.tunnelGroup), .verdict(.goto(Self.fromTunnel.name))]]
    }

    /// iifgroup 26742 counter drop
    var broughtByTunnel: [Statements] { underlay == nil ? [] : [[.equal(.iifgroup, Marks.tunnelGroup), .counter, .verdict(.drop)]] }
}
