import HostNetwork
import PolicyModel
import Testing

@Suite("A quota of values") struct QuotaTests {
    private func group(_ id: ID<SecurityGroup>, _ rules: Int, of network: ID<Network>? = nil) -> Intent {
        let rules = (0..<rules).map { Rule(id: "\($0)", direction: .ingress, ports: nil, remote: .anyone) }
        return .securityGroup(SecurityGroup(id: id, network: network, rules: rules))
    }

    private func network(_ id: ID<Network>) -> Intent { .network(Network(id: id, isolated: true)) }

    private func reason(_ intents: inout Intents, _ intent: Intent, _ quota: Quota) -> String? {
        do throws(Rejected) {
            _ = try intents.upsert(intent, within: quota)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("takes in what fits to the last value, refuses what doesn't, and says how much there is")
    func whole() throws {
        var intents = Intents()
        let quota = Quota(10, nil)
        #expect(reason(&intents, group("a", 8), quota) == nil)
        let refusal = reason(&intents, group("b", 1), quota)
        #expect(refusal == "security group b: this host has 9 of at most 10 values, and it has 2 (intents.maxValues)")
        #expect(reason(&intents, group("b", 0), quota) == nil)
        #expect(intents.values == 10)
    }

    @Test("refuses no resource that doesn't grow, however much there is already")
    func shrinking() throws {
        var intents = Intents(restoring: [group("a", 20), group("b", 5)])
        let quota = Quota(10, nil)
        #expect(reason(&intents, group("a", 21), quota) != nil)
        #expect(reason(&intents, group("a", 20).with(revision: 3), quota) == nil)
        #expect(reason(&intents, group("a", 19), quota) == nil)
        #expect(intents.values == 26)
    }

    @Test("leaves a quarter to those that may change everything, and each other client a quarter")
    func scoped() throws {
        var intents = Intents(restoring: [network("red"), network("blue"), network("green")])
        func fill(_ network: ID<Network>, _ scope: Scope) -> Int {
            let before = intents.values
            for number in 0..<100 {
                guard reason(&intents, group(ID("\(network)/\(number)"), 0, of: network), Quota(40, scope)) == nil else { break }
            }
            return intents.values - before
        }
        #expect(fill("red", Scope(["red"])) == 10)
        #expect(fill("blue", Scope(["red", "blue"])) == 0, "it is the networks' together")
        #expect(fill("blue", Scope(["blue"])) == 10)
        #expect(fill("green", Scope(["green"])) == 7, "30 in all, with the networks themselves")
        let refusal = try #require(reason(&intents, group("green/x", 0, of: "green"), Quota(40, Scope(["green"]))))
        #expect(refusal == "security group green/x: this host has no room for more values, and it has 1 (intents.maxValues)")
        #expect(reason(&intents, group("red/x", 0, of: "red"), Quota(40, Scope(["red"])))?.contains("10 of at most 10 values") ?? false)
        for number in 0..<10 { #expect(reason(&intents, group(ID("operator-\(number)"), 0), Quota(40, nil)) == nil) }
        #expect(reason(&intents, group("operator", 0), Quota(40, nil)) != nil)
    }
}
