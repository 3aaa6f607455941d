extension HostPolicy {
    /// Whether anything that the host sends to pods needs judging: what it begins, or its part of what pods began.
    var judgesOutput: Bool { toPods == .rules || fromPods == .rules }
}

/// Between pods and the host itself.
extension Layout {
    var hostChains: [Chain] {
        var chains = [
            Chain(
                Named(.inet, "host-in"), base: .init(.input, priority: 0),
                body: [[.equal(.iifgroup, Marks.linkGroup), .verdict(.goto("to-host"))]] + broughtByTunnel),
            Chain(Self.serving[1], body: denied(.out, by: .iifname)),
            Chain(Named(.inet, "to-host"), body: toHost),
        ]
        if host.fromPods == .rules { chains.append(Chain(Named(.inet, "from-own"), body: sent)) }
        if host.judgesOutput {
            chains.append(
                Chain(
                    Named(.inet, "host-out"), base: .init(.output, priority: 10),
                    body: [[.equal(.oifgroup, Marks.linkGroup), .verdict(.goto("host-to-pod"))]]))
            chains.append(Chain(Named(.inet, "host-to-pod"), body: toPodFromHost))
            if host.fromPods == .replies { chains.append(Chain(Named(.inet, "unanswered"), body: denied(.in, by: .oifname))) }
        }
        return chains
    }

    /// What the host itself sends to a pod.
    private var toPodFromHost: [Statements] {
        // Told by the host's own stack, about a packet that the pod sent or was sent: that it is too big, that nobody listens.
        var body: [Statements] = Self.errors.map { [.equal(.icmpType($0), $1), .verdict(.accept)] } + alwaysAnswered
        switch host.fromPods {
        // What a pod began while it might isn't answered any more.
        case .replies: body.append([.equal(.ctDirection, 1), .verdict(.goto("unanswered"))])
        case .rules: body.append([.equal(.ctDirection, 1), .verdict(.goto("to-pod-reply"))])
        case .allow: body.append([.equal(.ctDirection, 1), .verdict(.accept)])
        }
        switch host.toPods {
        case .allow: break
        case .rules: body += neighborDiscovery + received
        }
        return body
    }

    /// Unreachable, packet too big, time exceeded, parameter problem (RFC 792, RFC 4443).
    private static let errors: [(Family, UInt32)] = [(.v4, 3), (.v4, 11), (.v4, 12), (.v6, 1), (.v6, 2), (.v6, 3), (.v6, 4)]

    /// The answers to what a pod may always say: as a DHCP client, and to a gateway's ping.
    private var alwaysAnswered: [Statements] {
        let dhcp: [Statements] = [(server: 67, client: 68), (547, 546)].map { ports in
            [.equal(.l4proto, 17), .equal(.sourcePort, ports.server), .equal(.destinationPort, ports.client), .verdict(.accept)]
        }
        let pings: [Statements] = Family.allCases.map { family in
            [
                .lookup([.source(family)], in: Self.gateways(family).id.name), .equal(.icmpType(family), family == .v4 ? 0 : 129),
                .verdict(.accept),
            ]
        }
        return dhcp + pings
    }

    private var toHost: [Statements] {
        // The host minds no pod's word about routes and leases, of one without port security neither.
        var body = tunnelsToHost + servers(to: "serving-host") + judgingErrorsToHost
        switch host.toPods {
        case .allow: body.append([.equal(.ctDirection, 1), .verdict(.accept)])
        case .rules: body.append([.equal(.ctDirection, 1), .verdict(.goto("from-own-reply"))])
        }
        body += alwaysToHost
        switch host.fromPods {
        case .replies: body += countingInvalid(.out) + refused(.out, by: .iifname)
        case .rules: body.append([.verdict(.goto("from-own"))])
        case .allow: body += countingInvalid(.out) + [[.verdict(.accept)]]
        }
        return body
    }

    /// What a pod may say to the host whatever the rules say: ping of a gateway, and what it needs to get along.
    var alwaysToHost: [Statements] {
        Family.allCases.map { family in
            let echo: UInt32 = family == .v4 ? 8 : 128
            return [
                .lookup([.destination(family)], in: Self.gateways(family).id.name), .equal(.icmpType(family), echo), .verdict(.accept),
            ]
        } + [[.verdict(.jump("unaddressed"))]]
    }
}
