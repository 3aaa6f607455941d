import HawserProtocol
import HostNetwork
import SwiftProtobuf
import Testing

@testable import Agent

@Suite("A rule of Alcor") struct AlcorRuleTests {
    typealias Wire = Alcor_Schema_SecurityGroupConfiguration.SecurityGroupRule

    private func edit(_ rules: [Wire], _ update: Alcor_Schema_UpdateType = .full, _ settings: Settings.Alcor = .init()) -> AlcorState.Asked
    {
        AlcorState(AlcorSample.group("g", rules, .update, update), settings).asked
    }

    private func rules(_ wire: Wire..., settings: Settings.Alcor = .init()) -> [Rule] {
        if case .group(let edit) = edit(wire, .full, settings) { edit.group.rules } else { [] }
    }

    private func refusal(_ wire: Wire...) -> Rejected? {
        if case .refused(let rejected) = edit(wire) { rejected } else { nil }
    }

    @Test("allows what its protocol and its ports say")
    func protocols() {
        #expect(
            rules(AlcorSample.rule("r", .ingress, .tcp, 80, 81))
                == [Rule(id: "r", direction: .ingress, family: .v4, protocol: .tcp, ports: PortRange(80, 81))])
        #expect(rules(AlcorSample.rule("r", .egress, .udp, 53, 53)) == [Rule(id: "r", family: .v4, protocol: .udp, ports: PortRange(53))])
        #expect(rules(AlcorSample.rule("r", .egress, .udp)) == [Rule(id: "r", family: .v4, protocol: .udp)])
        #expect(
            rules(AlcorSample.rule("r", .egress, .tcp, 1, 65535)) == [
                Rule(id: "r", family: .v4, protocol: .tcp)
            ])
        #expect(rules(AlcorSample.rule("r", .egress, .http)) == [Rule(id: "r", family: .v4, protocol: .tcp, ports: PortRange(80))])
        #expect(
            rules(AlcorSample.rule("r", .egress, .http, 8080, 8081))
                == [Rule(id: "r", family: .v4, protocol: .tcp, ports: PortRange(8080, 8081))])
        #expect(rules(AlcorSample.rule("r", .egress, .arp), AlcorSample.rule("s")).map(\.id) == ["s"])
    }

    @Test("about TCP without ports means any protocol, unless it is set to mean TCP")
    func unset() {
        #expect(rules(AlcorSample.rule("r")) == [Rule(id: "r", direction: .ingress, family: .v4)])
        var settings = Settings.Alcor()
        settings.unsetProtocol = .tcp
        #expect(rules(AlcorSample.rule("r"), settings: settings) == [Rule(id: "r", direction: .ingress, family: .v4, protocol: .tcp)])
    }

    @Test("about ICMP without numbers means any message; a code that isn't said any code of the type")
    func icmp() {
        #expect(rules(AlcorSample.rule("r", .egress, .icmp)) == [Rule(id: "r", family: .v4, protocol: .icmp)])
        #expect(rules(AlcorSample.rule("r", .egress, .icmp, 8)) == [Rule(id: "r", family: .v4, protocol: .icmp, icmp: ICMPMatch(type: 8))])
        #expect(
            rules(AlcorSample.rule("r", .egress, .icmp, 3, 4))
                == [Rule(id: "r", family: .v4, protocol: .icmp, icmp: ICMPMatch(type: 3, code: 4))])
        var six = AlcorSample.rule("r", .egress, .icmp, 128)
        six.ethertype = .ipv6
        #expect(rules(six) == [Rule(id: "r", family: .v6, protocol: .icmpv6, icmp: ICMPMatch(type: 128))])
    }

    /// Fails on 7673dba: 0-80 was taken for 1-80.
    @Test(
        "whose range begins with 0 and ends elsewhere is refused, with what would be valid",
        arguments: [.tcp, .udp, .http] as [Alcor_Schema_Protocol], [1, 80, 65535, 65536] as [UInt32])
    func lowerEnd(of protocol: Alcor_Schema_Protocol, last: UInt32) throws {
        let rejected = try #require(
            refusal(
                AlcorSample.rule("a", .ingress, .arp), AlcorSample.rule("r", .ingress, `protocol`, 0, last)))
        #expect(rejected.field == "security_group_rules[1].port_range_min" && rejected.value == "0")
        #expect(rejected.reason.contains("ends at \(last)"))
        #expect(rejected.valid.contains(last > 65535 ? "1 to 65535" : "1 to \(last)"))
        // The same range that begins with 1, and the one that is left out as a whole.
        #expect(refusal(AlcorSample.rule("r", .ingress, `protocol`, 1, min(last, 65535))) == nil)
        #expect(refusal(AlcorSample.rule("r", .ingress, `protocol`)) == nil)
    }

    @Test("names a prefix or a group")
    func remotes() throws {
        #expect(
            try rules(AlcorSample.rule("r", .ingress, .udp, prefix: "10.1.0.0/16"))
                == [Rule(id: "r", direction: .ingress, family: .v4, protocol: .udp, remote: .cidr(Prefix(parsing: "10.1.0.0/16")))])
        #expect(
            rules(AlcorSample.rule("r", .ingress, .udp, group: "other"))
                == [Rule(id: "r", direction: .ingress, family: .v4, protocol: .udp, remote: .group("other"))])
    }

    @Test("that says what can't be is refused, its field named as on the wire, counted with those that say nothing")
    func refused() throws {
        let arp = AlcorSample.rule("a", .ingress, .arp)
        #expect(refusal(arp, AlcorSample.rule("r", .ingress, .tcp, 81, 80))?.field == "security_group_rules[1].port_range_min")
        #expect(refusal(arp, AlcorSample.rule("r", .ingress, .tcp, 1, 65536))?.field == "security_group_rules[1].port_range_min")
        #expect(refusal(arp, AlcorSample.rule("r", .ingress, .icmp, 256))?.field == "security_group_rules[1].port_range_min")
        #expect(
            refusal(AlcorSample.rule("r", .ingress, .tcp, prefix: "10.1.0.300/24"))?.field == "security_group_rules[0].remote_ip_prefix")
        #expect(refusal(AlcorSample.rule("r", .ingress, .tcp, prefix: "10.1.0.0/24", group: "g"))?.field == "security_group_rules[0]")
        #expect(refusal(AlcorSample.rule("r", .UNRECOGNIZED(7)))?.field == "security_group_rules[0].direction")
        #expect(refusal(AlcorSample.rule("r", .ingress, .UNRECOGNIZED(9)))?.field == "security_group_rules[0].protocol")
        #expect(refusal(AlcorSample.rule("", .ingress, .udp))?.field == "security_group_rules[0].id")
        #expect(refusal(AlcorSample.rule("r"), AlcorSample.rule("r"))?.field == "security_group_rules[1].id")
        var foreign = AlcorSample.rule("r")
        foreign.securityGroupID = "another"
        #expect(refusal(foreign)?.field == "security_group_rules[0].security_group_id")
        var mixed = AlcorSample.rule("r", .ingress, .tcp, prefix: "fd00::/64")
        mixed.ethertype = .ipv4
        #expect(refusal(mixed) != nil)
    }
}
