import Foundation
import HawserProtocol
import HostNetwork
import SwiftProtobuf
import OwnThreads
import Testing

@testable import Agent

@Suite("Alcor's goal states, generated", .ownThreads) struct AlcorLawTests {
    private static let seeds = 0..<150

    /// Groups, ports and neighbors of one subnet, all of them whole.
    private static func message(_ dice: inout AlcorDice) -> Alcor_Schema_GoalState {
        let groups = (0..<Int.random(in: 0...3, using: &dice)).map { "group-\($0)" }
        return .with {
            $0.formatVersion = 1
            $0.vpcStates = [AlcorSample.vpc()]
            $0.subnetStates = [AlcorSample.subnet()]
            $0.securityGroupStates = groups.map { AlcorSample.group($0, rules(&dice), .create, .full) }
            $0.portStates = (0..<Int.random(in: 0...4, using: &dice)).map { number in
                AlcorSample.port(
                    "port-\(number)", 10 + number, groups: groups.filter { _ in .random(using: &dice) },
                    device: .random(using: &dice) ? "pod-\(number)" : "")
            }
            $0.neighborStates = (0..<Int.random(in: 0...4, using: &dice)).map { number in
                AlcorSample.neighbor("neighbor-\(number)", "10.1.0.\(100 + number)", groups: groups.filter { _ in .random(using: &dice) })
            }
        }
    }

    private static func rules(
        _ dice: inout AlcorDice, _ operation: (inout AlcorDice) -> Alcor_Schema_OperationType = { _ in .info }
    ) -> [Alcor_Schema_SecurityGroupConfiguration.SecurityGroupRule] {
        (0..<6).filter { _ in .random(using: &dice) }.map { number in
            let first = UInt32.random(in: 1...1000, using: &dice)
            let kind = [Alcor_Schema_Protocol.tcp, .udp, .http].randomElement(using: &dice) ?? .tcp
            return AlcorSample.rule("rule-\(number)", .random(using: &dice) ? .ingress : .egress, kind, first, first + 10, operation(&dice))
        }
    }

    @Test("mean the same in both versions, and twice the same as once", arguments: seeds)
    func versions(seed: Int) throws {
        var dice = AlcorDice(seed)
        var (one, two) = (AlcorWorld(), AlcorWorld())
        for _ in 0..<3 {
            let message = Self.message(&dice)
            let reply = try one.push(message)
            #expect(try two.push(message.second).operationStatuses == reply.operationStatuses)
            #expect(reply.statuses.allSatisfy { $0 == .success })
            #expect(one.intents == two.intents)
            try one.push(message)
            #expect(!one.hasChanged)
            two.restart()
        }
    }

    @Test("in pieces come to the same whatever their order", arguments: seeds)
    func orders(seed: Int) throws {
        var dice = AlcorDice(seed)
        let message = Self.message(&dice)
        var whole = AlcorWorld()
        try whole.push(message)
        var pieces: [Alcor_Schema_GoalState] = message.subnetStates.map { state in .with { $0.subnetStates = [state] } }
        pieces += message.vpcStates.map { state in .with { $0.vpcStates = [state] } }
        pieces += message.securityGroupStates.map { state in .with { $0.securityGroupStates = [state] } }
        pieces += message.portStates.map { state in .with { $0.portStates = [state] } }
        pieces += message.neighborStates.map { state in .with { $0.neighborStates = [state] } }
        var world = AlcorWorld()
        for piece in pieces.shuffled(using: &dice) {
            try world.push(piece)
            if .random(using: &dice) { world.restart() }
        }
        #expect(world.intents == whole.intents)
        #expect(world.ledger.waiting.isEmpty)
    }

    @Test("change a group's rules by their ids", arguments: seeds)
    func deltas(seed: Int) throws {
        var dice = AlcorDice(seed)
        var world = AlcorWorld()
        var expected: [String: UInt32] = [:]
        for _ in 0..<6 {
            let isWhole = Int.random(in: 0..<4, using: &dice) == 0
            let rules = Self.rules(&dice) { dice in [.create, .update, .delete].randomElement(using: &dice) ?? .create }
            // Without any rule a delta says nothing but that there are none.
            guard isWhole || !rules.isEmpty else { continue }
            try world.push(.with { $0.securityGroupStates = [AlcorSample.group("g", rules, .update, isWhole ? .full : .delta)] })
            if isWhole { expected = [:] }
            for rule in rules { expected[rule.id] = rule.operationType == .delete ? nil : rule.portRangeMin }
            let actual = world.intents.securityGroups["g"]?.rules.map { ($0.id, UInt32($0.ports?.first ?? 0)) } ?? []
            #expect(Dictionary(uniqueKeysWithValues: actual) == expected)
        }
    }

    @Test("that are garbage hurt none of the others, and each is answered", arguments: seeds)
    func garbage(seed: Int) throws {
        var dice = AlcorDice(seed)
        let message = Self.message(&dice)
        var whole = AlcorWorld()
        try whole.push(message)
        var spoilt = message
        let junk = [
            "", " ", "../..", "10.1.0.999", "::1", "ff:ff:ff:ff:ff:ff", "0.0.0.0/0", "\u{0}", "é", String(repeating: "x", count: 300),
        ]
        func any(_ dice: inout AlcorDice) -> String { junk.randomElement(using: &dice) ?? "" }
        for _ in 0..<5 {
            var port = AlcorSample.port(any(&dice), 50)
            (port.configuration.vpcID, port.configuration.macAddress, port.configuration.deviceID) = (any(&dice), any(&dice), any(&dice))
            port.configuration.fixedIps = [.with { ($0.subnetID, $0.ipAddress) = (any(&dice), any(&dice)) }]
            spoilt.portStates.append(port)
            var group = AlcorSample.group(any(&dice), [AlcorSample.rule(any(&dice), prefix: any(&dice), group: any(&dice))])
            group.configuration.vpcID = any(&dice)
            group.configuration.securityGroupRules[0].operationType = .UNRECOGNIZED(Int.random(in: 0...9, using: &dice))
            spoilt.securityGroupStates.append(group)
            spoilt.neighborStates.append(AlcorSample.neighbor(any(&dice), any(&dice), groups: [any(&dice)], subnet: any(&dice)))
            spoilt.subnetStates.append(AlcorSample.subnet(any(&dice), vpc: any(&dice), cidr: any(&dice), tunnel: dice.next()))
            spoilt.vpcStates.append(AlcorSample.vpc(any(&dice), .UNRECOGNIZED(Int.random(in: 0...9, using: &dice))))
        }
        var world = AlcorWorld()
        let reply = try world.push(spoilt.second)
        let count = spoilt.vpcStates.count + spoilt.subnetStates.count + spoilt.securityGroupStates.count + spoilt.portStates.count
        #expect(reply.operationStatuses.count == count + spoilt.neighborStates.count)
        #expect(world.intents.pods == whole.intents.pods)
        #expect(world.intents.neighbors == whole.intents.neighbors)
        #expect(world.intents.networks["vpc-1"] == whole.intents.networks["vpc-1"])
        for (id, group) in whole.intents.securityGroups { #expect(world.intents.securityGroups[id] == group) }
        // What was answered survives the wire.
        #expect(try Alcor_Schema_GoalStateOperationReply(serializedBytes: reply.serializedData() as Data) == reply)
    }
}
