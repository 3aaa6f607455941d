import HostNetwork

/// What is on a host beside what the measured changes touch: those are the same on every host.
struct ScaleLoad: CustomStringConvertible {
    let description: String
    /// Isolated networks with the same subnet as the one that changes, each with 4 pods here.
    var networks = 0
    /// Neighbors in the network that changes, each reached by its tunnel.
    var neighbors = 0
    /// Whether they are members of the group that rules name.
    var areMembers = false

    static let empty = ScaleLoad(description: "an empty host")

    /// The network that changes, and one whose first pod comes and goes.
    static let home = network("home", 1)
    static let lone = network("lone", 2)
    /// What is bound, and the group that the rules of both name as their remote.
    static let groups: [ID<SecurityGroup>] = ["web", "db"]
    static let clients: ID<SecurityGroup> = "clients"

    /// All that is there before anything is measured; pods are in namespaces whose names begin with `place`.
    func intents(at place: String) -> [Intent] {
        var intents: [Intent] = [.network(Self.home), .network(Self.lone)]
        intents.append(.securityGroup(SecurityGroup(id: Self.clients, network: Self.home.id)))
        for (number, id) in Self.groups.enumerated() {
            let rules = [
                Rule(id: "in", direction: .ingress, protocol: .tcp, ports: PortRange(80 + UInt16(number)), remote: .group(Self.clients)),
                Rule(id: "out", direction: .egress),
            ]
            intents.append(.securityGroup(SecurityGroup(id: id, network: Self.home.id, rules: rules)))
            intents.append(.pod(Self.pod("resident-\(id)", number, of: Self.home, at: place, groups: [id])))
        }
        for number in 0..<networks {
            let tenant = Self.network(ID("tenant-\(number)"), 10 + number)
            intents.append(.network(tenant))
            intents += (0..<4).map { .pod(Self.pod("\(tenant.id)-\($0)", $0, of: tenant, at: place)) }
        }
        return intents + (0..<neighbors).map { .neighbor(Self.neighbor("far-\($0)", $0, isMember: areMembers)) }
    }

    static func pod(_ id: String, _ number: Int, of network: Network, at place: String, groups: [ID<SecurityGroup>] = []) -> Pod {
        Pod(
            id: ID(id), network: network.id, namespace: place + id, addresses: [.v4(0x0a00_0010 + UInt32(number))], securityGroups: groups)
    }

    /// Dealt to a hundred hosts.
    static func neighbor(_ id: String, _ number: Int, isMember: Bool) -> Neighbor {
        Neighbor(
            id: ID(id), network: home.id, addresses: [.v4(0x0a40_0000 + UInt32(number))], host: .v4(0xc000_0264 + UInt32(number % 100)),
            securityGroups: isMember ? [clients] : [])
    }

    /// All of them have the same addresses.
    private static func network(_ id: ID<Network>, _ tunnel: Int) -> Network {
        guard let cidr = Prefix(.v4(0x0a00_0000), length: 8) else { fatalError("10.0.0.0/8 is a prefix") }
        let subnet = Subnet(id: "\(id)-4", cidr: cidr, gateway: .v4(0x0a00_0001))
        return Network(id: id, isolated: true, subnets: [subnet], tunnelID: TunnelID(tunnel))
    }
}
