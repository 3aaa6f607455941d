import HawserProtocol
import HostNetwork
import OwnThreads
import SwiftProtobuf
import Testing

@testable import Agent

@Suite("Alcor's routers", .ownThreads) struct AlcorRouterTests {
    private typealias Rule = Alcor_Schema_RouterConfiguration.RoutingRule

    private static func rule(
        _ id: String, _ destination: String, _ hop: String, _ priority: UInt32 = 0, _ operation: Alcor_Schema_OperationType = .info
    ) -> Rule {
        .with {
            $0.operationType = operation
            ($0.id, $0.destination, $0.nextHopIp, $0.priority) = (id, destination, hop, priority)
        }
    }

    private static func router(
        _ tables: [String: [Rule]], mac: String = "", id: String = "router", _ operation: Alcor_Schema_OperationType = .info,
        _ update: Alcor_Schema_UpdateType = .delta
    ) -> Alcor_Schema_GoalState {
        AlcorSample.goal {
            $0.routerStates = [
                .with {
                    $0.operationType = operation
                    ($0.configuration.id, $0.configuration.updateType, $0.configuration.hostDvrMacAddress) = (id, update, mac)
                    $0.configuration.subnetRoutingTables = tables.sorted { $0.key < $1.key }.map { subnet, rules in
                        .with { ($0.subnetID, $0.routingRules) = (subnet, rules) }
                    }
                }
            ]
        }
    }

    /// A VPC with subnets 10.1.0.0/24 and 10.1.1.0/24 and a port at 10.1.0.5.
    private func world() throws -> AlcorWorld {
        var world = AlcorWorld()
        let message = AlcorSample.goal {
            $0.vpcStates = [AlcorSample.vpc()]
            $0.subnetStates = [AlcorSample.subnet(), AlcorSample.subnet("subnet-2", cidr: "10.1.1.0/24", gateway: "10.1.1.1", tunnel: 22)]
            $0.portStates = [AlcorSample.port("nat", 5, device: "nat")]
        }
        #expect(try world.push(message).statuses.allSatisfy { $0 == .success })
        return world
    }

    private func routes(_ world: AlcorWorld, _ subnet: String = "subnet-1") -> [String] {
        let subnet = world.intents.networks["vpc-1"]?.subnets.first { $0.id == subnet }
        return (subnet?.routes ?? []).map { "\($0.destination) through \($0.nextHop), \($0.priority)" }
    }

    @Test("give their subnets routes; a rule through the gateway, or through nobody, leads by the host's own routing")
    func whole() throws {
        var world = try world()
        let message = Self.router([
            "subnet-1": [
                Self.rule("a", "0.0.0.0/0", "10.1.0.5", 7), Self.rule("b", "10.1.1.0/24", "10.1.0.1"), Self.rule("c", "192.0.2.0/24", ""),
                Self.rule("d", "198.51.100.0/24", "0.0.0.0"),
            ], "subnet-2": [],
        ])
        #expect(try world.push(message).statuses == [.success])
        #expect(
            routes(world) == [
                "0.0.0.0/0 through 10.1.0.5, 7", "10.1.1.0/24 through 10.1.0.1, 0", "192.0.2.0/24 through 10.1.0.1, 0",
                "198.51.100.0/24 through 10.1.0.1, 0",
            ])
        #expect(routes(world, "subnet-2") == [])
        try world.push(message)
        #expect(!world.hasChanged)
        // Told of as a whole again, it has lost what isn't said.
        world.restart()
        #expect(try world.push(Self.router(["subnet-2": [Self.rule("a", "0.0.0.0/0", "10.1.0.5")]], .update, .full)).statuses == [.success])
        #expect(routes(world) == [] && routes(world, "subnet-2") == ["0.0.0.0/0 through 10.1.0.5, 0"])
        // The subnet and the VPC come with every port, and say nothing of it.
        try world.push(
            AlcorSample.goal {
                $0.vpcStates = [AlcorSample.vpc()]
                $0.subnetStates = [AlcorSample.subnet("subnet-2", cidr: "10.1.1.0/24", gateway: "10.1.1.1", tunnel: 22)]
            })
        #expect(routes(world, "subnet-2") == ["0.0.0.0/0 through 10.1.0.5, 0"])
        #expect(try world.push(Self.router([:], .delete)).statuses == [.success])
        #expect(routes(world, "subnet-2") == [])
        #expect(try world.push(Self.router([:], .delete)).statuses == [.success])
    }

    @Test("are changed rule by rule, by their ids")
    func deltas() throws {
        var world = try world()
        try world.push(Self.router(["subnet-1": [Self.rule("a", "0.0.0.0/0", "10.1.0.5", 1, .create)]], .create))
        try world.push(Self.router(["subnet-1": [Self.rule("b", "192.0.2.0/24", "10.1.0.5", 1, .create)]], .update))
        #expect(routes(world) == ["0.0.0.0/0 through 10.1.0.5, 1", "192.0.2.0/24 through 10.1.0.5, 1"])
        world.restart()
        try world.push(Self.router(["subnet-1": [Self.rule("a", "198.51.100.0/24", "10.1.0.5", 2, .update)]], .update))
        #expect(routes(world) == ["198.51.100.0/24 through 10.1.0.5, 2", "192.0.2.0/24 through 10.1.0.5, 1"])
        try world.push(Self.router(["subnet-1": [Self.rule("b", "", "", 0, .delete), Self.rule("none", "", "", 0, .delete)]], .update))
        #expect(routes(world) == ["198.51.100.0/24 through 10.1.0.5, 2"])
    }

    @Test("wait for what isn't known yet: a next hop, its subnet, their own subnet; and are in force when it comes")
    func waiting() throws {
        var world = AlcorWorld()
        let message = Self.router(["subnet-1": [Self.rule("a", "0.0.0.0/0", "10.1.1.9")]])
        var reply = try world.push(message)
        #expect(reply.statuses == [.pending] && reply.reasons == ["waits for subnet subnet-1"])
        try world.push(AlcorSample.goal { $0.subnetStates = [AlcorSample.subnet()] })
        #expect(routes(world) == [])
        reply = try world.push(message)
        #expect(reply.statuses == [.pending])
        #expect(
            reply.reasons == [
                "waits for a subnet of VPC vpc-1 that has 10.1.1.9 (subnet_routing_tables[0].routing_rules[0].next_hop_ip)"
            ])
        world.restart()
        try world.push(
            AlcorSample.goal {
                $0.subnetStates = [AlcorSample.subnet("subnet-2", cidr: "10.1.1.0/24", gateway: "10.1.1.1", tunnel: 22)]
            })
        #expect(routes(world) == ["0.0.0.0/0 through 10.1.1.9, 0"])
        #expect(try world.push(message).statuses == [.pending], "nobody has the address")
        try world.push(AlcorSample.goal { $0.portStates = [AlcorSample.port("nat", 5, device: "nat")] })
        #expect(try world.push(Self.router(["subnet-1": [Self.rule("a", "0.0.0.0/0", "10.1.0.5")]])).statuses == [.success])
    }

    @Test(
        "are refused where they can't be, by the field on the wire, and what was in force stays",
        arguments: [
            ("", "10.1.0.5", "destination: missing"), ("10.2.0.0/99", "10.1.0.5", "destination: 10.2.0.0/99: can't be read"),
            ("0.0.0.0/0", "10.1.0.555", "next_hop_ip: 10.1.0.555: can't be read"),
            ("0.0.0.0/0", "fd00::1", "next_hop_ip: fd00::1: of another family than the destination"),
            ("0.0.0.0/0", "10.1.0.255", "next_hop_ip: 10.1.0.255: the broadcast address of subnet subnet-1"),
            ("10.1.1.0/25", "10.1.0.5", "destination: 10.1.1.0/25: inside of subnet subnet-2"),
        ])
    func refused(destination: String, hop: String, reason: String) throws {
        var world = try world()
        try world.push(Self.router(["subnet-1": [Self.rule("good", "192.0.2.0/24", "10.1.0.5")]]))
        let (intents, entries) = (world.intents, world.ledger.entries)
        let reply = try world.push(
            Self.router(["subnet-1": [Self.rule("good", "203.0.113.0/24", "10.1.0.5"), Self.rule("bad", destination, hop)]]))
        #expect(reply.statuses == [.invalidArg])
        #expect(reply.reasons[0].hasPrefix("subnet_routing_tables[0].routing_rules[1].\(reason)"), "\(reply.reasons)")
        #expect(world.intents == intents && world.ledger.entries == entries)
    }

    @Test("say the MAC of the gateway, where the subnet itself doesn't")
    func gatewayMAC() throws {
        var world = try world()
        func macs() -> [String?] { world.intents.networks["vpc-1"]?.subnets.map { $0.gatewayMAC?.description } ?? [] }
        #expect(macs() == [nil, nil])
        try world.push(Self.router(["subnet-1": []], mac: "6c:dd:ee:0:0:1"))
        #expect(macs() == ["6c:dd:ee:00:00:01", nil])
        var own = AlcorSample.subnet()
        own.configuration.gateway.macAddress = "02:00:00:00:00:aa"
        try world.push(AlcorSample.goal { $0.subnetStates = [own] })
        #expect(macs() == ["02:00:00:00:00:aa", nil])
        try world.push(Self.router([:], .delete))
        #expect(macs() == ["02:00:00:00:00:aa", nil])
        own.configuration.gateway.macAddress = "01:00:00:00:00:aa"
        let reply = try world.push(AlcorSample.goal { $0.subnetStates = [own] })
        #expect(reply.statuses == [.invalidArg] && reply.reasons[0].contains("gateway.mac_address"))
    }

    @Test("are no client's who is held to some VPCs, not even of his own: what a network is, is for others to say")
    func scoped() throws {
        var world = try world()
        let far = AlcorSample.subnet("far", vpc: "vpc-2", cidr: "10.1.0.0/24", tunnel: 23)
        // Of another network, whose addresses are its own.
        world.settings.isolated = true
        try world.push(AlcorSample.goal { $0.subnetStates = [far] })
        world.scope = Scope(["vpc-1"])
        let mine = [Self.rule("a", "0.0.0.0/0", "10.1.0.5")]
        let own = try world.push(Self.router(["subnet-1": mine]))
        #expect(own.statuses == [.invalidArg] && own.reasons[0].contains("this client may not change it"))
        world.scope = nil
        #expect(try world.push(Self.router(["subnet-1": mine])).statuses == [.success])
        let routed = routes(world)
        world.scope = Scope(["vpc-1"])
        for tables in [["far": mine], ["far": [], "subnet-1": mine], ["unknown": mine], [:]] {
            let reply = try world.push(Self.router(tables, id: "other"))
            #expect(reply.statuses == [.invalidArg] && reply.reasons[0].contains("this client may not change it"), "\(tables.keys)")
        }
        #expect(try world.push(Self.router([:], .delete)).statuses == [.invalidArg])
        #expect(routes(world) == routed && !routed.isEmpty)
    }
}
