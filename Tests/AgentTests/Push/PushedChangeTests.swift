import Foundation
import HawserProtocol
import HostNetwork
import SwiftProtobuf
import Testing

@testable import Agent

@Suite("What is pushed") struct PushedChangeTests {
    private static let json = """
        {"networks": [{"id": "blue", "subnets": [{"id": "b4", "cidr": "10.1.0.0/24", "gateway": "10.1.0.1"}], "revision": "7"}],
         "securityGroups": [{"id": "web", "network": "blue", "stateful": false, "rules": [
            {"id": "r1", "direction": "INGRESS", "ethertype": "IPV4", "protocol": "tcp", "ports": {"first": 80, "last": 81},
             "sourcePorts": {"first": 1024}, "cidr": "192.0.2.0/24"},
            {"id": "r2", "protocol": "icmp", "icmp": {"type": 8, "code": 0}, "group": "db"},
            {"id": "r3", "direction": "EGRESS", "addressGroup": "office"}]}],
         "addressGroups": [{"id": "office", "cidrs": ["198.51.100.0/24"]}],
         "pods": [{"id": "web-0", "network": "blue", "namespace": "/run/netns/web-0", "interface": "eth1", "mac": "02:00:0a:01:00:0a",
            "addresses": ["10.1.0.10"], "securityGroups": ["web"], "allowedAddressPairs": [{"address": "10.1.0.200/32"}],
            "portSecurity": false, "adminUp": false, "mtu": 1450, "revision": "18446744073709551615"},
            {"id": "web-1", "network": "blue", "addresses": ["10.1.0.11"]}],
         "neighbors": [{"id": "db-7", "network": "blue", "addresses": ["10.1.0.70"], "mac": "02:00:0a:01:00:46", "host": "192.0.2.7",
            "securityGroups": ["db"]}]}
        """

    private static let yaml = """
        networks: [{id: blue, subnets: [{id: b4, cidr: 10.1.0.0/24, gateway: 10.1.0.1}], revision: 7}]
        securityGroups:
          - id: web
            network: blue
            stateful: false
            rules:
              - {id: r1, direction: ingress, ethertype: ipv4, protocol: tcp, ports: 80-81, sourcePorts: 1024, remote: {cidr: 192.0.2.0/24}}
              - {id: r2, protocol: icmp, icmp: {type: 8, code: 0}, remote: {group: db}}
              - {id: r3, direction: egress, remote: {addressGroup: office}}
        addressGroups: [{id: office, cidrs: [198.51.100.0/24]}]
        pods:
          - {id: web-0, network: blue, namespace: /run/netns/web-0, interface: eth1, mac: "02:00:0a:01:00:0a", addresses: [10.1.0.10],
             securityGroups: [web], allowedAddressPairs: [{address: 10.1.0.200/32}], portSecurity: false, adminUp: false, mtu: 1450,
             revision: "18446744073709551615"}
          - {id: web-1, network: blue, addresses: [10.1.0.11]}
        neighbors: [{id: db-7, network: blue, addresses: [10.1.0.70], mac: "02:00:0a:01:00:46", host: 192.0.2.7, securityGroups: [db]}]
        """

    private func decoded(_ resources: Hawser_V1_Resources) -> (intents: [Intent], rejected: [Rejected]) {
        let change = PushedChange(.with { $0.upserts = resources }, scope: nil).change
        return (change.upserts, change.rejected)
    }

    private func resources(_ json: String) throws -> Hawser_V1_Resources { try Hawser_V1_Resources(jsonString: json) }

    @Test("means the same as the same in a file, every field of it")
    func equal() throws {
        let file = try IntentReader.documents(in: Data(Self.yaml.utf8), named: "all.yaml").map { IntentFile.decode($0) }
        let pushed = decoded(try resources(Self.json))
        #expect(pushed.rejected == [] && file[0].rejected == [])
        #expect(pushed.intents.count == 6)
        #expect(pushed.intents == file[0].intents)
    }

    @Test(
        "is refused field by field, in the words that files get",
        arguments: [
            (#"{"pods": [{"id": "a", "network": "blue", "addresses": ["10.1.0.300"]}]}"#, "addresses[0]", "10.1.0.300"),
            (#"{"pods": [{"id": "a", "network": "blue"}]}"#, "addresses", "[]"),
            (#"{"pods": [{"id": "a", "addresses": ["10.1.0.3"]}]}"#, "network", ""),
            (#"{"networks": [{"id": "a", "subnets": [{"id": "s"}]}]}"#, "subnets[0].cidr", ""),
            (#"{"securityGroups": [{"id": "a", "rules": [{"id": "r", "direction": 7}]}]}"#, "rules[0].direction", "7"),
            (#"{"securityGroups": [{"id": "a", "rules": [{"id": "r", "ethertype": 9}]}]}"#, "rules[0].ethertype", "9"),
            (
                #"{"securityGroups": [{"id": "a", "rules": [{"id": "r", "protocol": "tcp", "ports": {"first": 9, "last": 3}}]}]}"#,
                "rules[0].ports", "9-3"
            ),
            (#"{"securityGroups": [{"id": "a", "rules": [{"id": "r", "protocol": "icmp", "icmp": {}}]}]}"#, "rules[0].icmp.type", ""),
            (#"{"securityGroups": [{"id": "a", "rules": [{"id": "r", "cidr": ""}]}]}"#, "rules[0].remote.cidr", ""),
            (#"{"securityGroups": [{"id": "a", "rules": [{"id": "r", "group": ""}]}]}"#, "rules[0].remote.group", ""),
        ])
    func refused(json: String, field: String, value: String) throws {
        let pushed = decoded(try resources(json))
        #expect(pushed.intents == [])
        #expect(pushed.rejected.map(\.field) == [field])
        #expect(pushed.rejected.first?.value == value)
        #expect(pushed.rejected.first?.intent != nil)
    }

    /// Field 99, a varint of 1 (protobuf.dev, "Encoding").
    private static let unknown: [UInt8] = [0x98, 0x06, 0x01]

    @Test("is refused where it has a field that this version doesn't know: a rule never means more than what was written")
    func unknownFields() throws {
        let rule = try Hawser_V1_Rule(serializedBytes: try Hawser_V1_Rule.with { $0.id = "r" }.serializedData() + Self.unknown)
        let group = decoded(
            .with {
                $0.securityGroups = [
                    .with {
                        $0.id = "a"; $0.rules = [rule]
                    }
                ]
            })
        #expect(group.intents == [] && group.rejected.map(\.field) == ["rules[0].field 99"])

        let range = try Hawser_V1_PortRange(serializedBytes: Self.unknown)
        let ports = decoded(
            .with {
                $0.securityGroups = [
                    .with {
                        $0.id = "a";
                        $0.rules = [
                            .with {
                                $0.id = "r"; $0.protocol = "tcp"; $0.ports = range
                            }
                        ]
                    }
                ]
            })
        #expect(ports.intents == [] && ports.rejected.map(\.field) == ["rules[0].ports"])

        let kinds = decoded(try Hawser_V1_Resources(serializedBytes: Self.unknown))
        #expect(kinds.rejected.map(\.field) == ["field 99"])
    }

    @Test("as a snapshot is refused as a whole when a resource has no name: nobody knows what would have to go")
    func unnamed() throws {
        #expect(throws: (any Error).self) { try PushedChange(snapshot: try resources(#"{"pods": [{"network": "blue"}]}"#), scope: nil) }
        #expect(throws: (any Error).self) {
            try PushedChange(snapshot: try Hawser_V1_Resources(serializedBytes: Self.unknown), scope: nil)
        }
    }

    @Test("can't be pushed and deleted at once, and what is deleted has a kind and a name")
    func deletions() throws {
        let delta = try Hawser_V1_Delta(
            jsonString: """
                {"upserts": {"networks": [{"id": "blue"}]}, "deletions": [{"kind": "NETWORK", "id": "blue"}, {"kind": "POD", "id": "a b"},
                 {"kind": 42, "id": "x"}, {"id": "y"}, {"kind": "NEIGHBOR", "id": "n", "revision": "4"}]}
                """)
        let change = PushedChange(delta, scope: nil).change
        #expect(change.upserts.map(\.id) == [IntentID(.network, "blue")])
        #expect(change.deletions == [IntentID(.neighbor, "n")])
        #expect(change.deletedRevisions == [IntentID(.neighbor, "n"): 4])
        #expect(change.rejected.count == 4)
    }
}
