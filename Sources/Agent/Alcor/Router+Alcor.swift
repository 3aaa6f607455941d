import HawserProtocol
import HostNetwork
import SwiftProtobuf

/// A router of Alcor's as it is in force: what it says of the routes of subnets, each valid by itself.
struct AlcorRouter: Hashable, Sendable {
    struct Rule: Hashable, Sendable {
        var destination: Prefix
        /// Nil for the router itself, which is the subnet's gateway.
        var nextHop: IPAddress?
        var priority: UInt32
        /// Its field on the wire, for refusals.
        var field: String
    }

    /// What its subnets' pods know their gateways by, where those say nothing themselves (`host_dvr_mac_address`).
    var mac: MAC?
    /// By the subnet's id.
    var tables: [String: [Rule]] = [:]
}

extension Alcor_Schema_RouterState {
    func upsert(_ settings: Settings.Alcor) throws(Rejected) -> AlcorState.Asked {
        switch configuration.updateType {
        case .full, .delta: break
        case .UNRECOGNIZED(let number): throw .alcor("update_type", number, "unknown", valid: "0 or 1")
        }
        _ = try router
        return .router(self)
    }

    /// What it says, but for rules that it takes away.
    var router: AlcorRouter {
        get throws(Rejected) {
            var router = AlcorRouter(mac: try MAC.alcor(ofInterface: configuration.hostDvrMacAddress, "host_dvr_mac_address"))
            for (position, table) in configuration.subnetRoutingTables.enumerated() {
                let place = "subnet_routing_tables[\(position)]"
                guard !table.subnetID.isEmpty else { throw Rejected(intent: nil, field: place + ".subnet_id", reason: "missing") }
                var rules = router.tables[table.subnetID] ?? []
                for (index, rule) in table.routingRules.enumerated() {
                    if let rule = try rule.read("\(place).routing_rules[\(index)]") { rules.append(rule) }
                }
                router.tables[table.subnetID] = rules
            }
            return router
        }
    }

    /// The router as it is to be, where `present` is in force: told as a whole if its update is FULL or all of its rules are INFO; otherwise its
    /// rules are changes by their ids.
    func applied(to present: Alcor_Schema_RouterState?) -> Alcor_Schema_RouterState {
        let rules = configuration.subnetRoutingTables.flatMap(\.routingRules)
        let isWhole = configuration.updateType == .full || rules.allSatisfy { $0.operationType == .info }
        var result = self
        result.configuration.subnetRoutingTables = isWhole ? [] : present?.configuration.subnetRoutingTables ?? []
        if configuration.hostDvrMacAddress.isEmpty, !isWhole, let present {
            result.configuration.hostDvrMacAddress = present.configuration.hostDvrMacAddress
        }
        for table in configuration.subnetRoutingTables { result.configuration.take(table) }
        return result
    }
}

extension Alcor_Schema_RouterConfiguration {
    fileprivate mutating func take(_ table: SubnetRoutingTable) {
        let place = subnetRoutingTables.firstIndex { $0.subnetID == table.subnetID } ?? subnetRoutingTables.endIndex
        if place == subnetRoutingTables.endIndex { subnetRoutingTables.append(.with { $0.subnetID = table.subnetID }) }
        for var rule in table.routingRules where rule.operationType != .get {
            let there = subnetRoutingTables[place].routingRules.firstIndex { $0.name(among: rule) }
            let isGone = rule.operationType == .delete
            // What is in force is so, however it came.
            rule.operationType = .info
            switch there {
            case let there?:
                if isGone {
                    subnetRoutingTables[place].routingRules.remove(at: there)
                } else {
                    subnetRoutingTables[place].routingRules[there] = rule
                }
            case nil: if !isGone { subnetRoutingTables[place].routingRules.append(rule) }
            }
        }
    }
}

extension Alcor_Schema_RouterConfiguration.RoutingRule {
    /// Whether both are one rule: by its id, or by its destination where it has none.
    fileprivate func name(among other: Self) -> Bool {
        id.isEmpty && other.id.isEmpty ? destination == other.destination && priority == other.priority : id == other.id
    }

    /// Nil for one that says nothing of a route.
    fileprivate func read(_ field: String) throws(Rejected) -> AlcorRouter.Rule? {
        switch operationType {
        case .info, .create, .update: break
        case .get, .delete: return nil
        case .UNRECOGNIZED(let number): throw .alcor(field + ".operation_type", number, "unknown", valid: "0 to 4")
        }
        _ = try MAC.alcor(routingRuleExtraInfo.nextHopMac, field + ".routing_rule_extra_info.next_hop_mac")
        guard let prefix = try Prefix.alcor(destination, field + ".destination") else {
            throw Rejected(intent: nil, field: field + ".destination", reason: "missing", valid: "a prefix such as 0.0.0.0/0")
        }
        let hop = try IPAddress.alcor(nextHopIp, field + ".next_hop_ip")
        guard hop?.family ?? prefix.family == prefix.family else {
            throw .alcor(field + ".next_hop_ip", nextHopIp, "of another family than the destination", valid: "an \(prefix.family) address")
        }
        let isNobody = hop == .v4(0) || hop == .v6(0)
        return AlcorRouter.Rule(destination: prefix, nextHop: isNobody ? nil : hop, priority: priority, field: field)
    }
}

/// What becomes of routers' rules in a network, as far as it is known.
struct AlcorRoutes {
    /// With their routes, and what their pods know their gateways by.
    private(set) var network: Network
    /// Rules that can never be.
    private(set) var refused: [Rejected] = []
    /// What rules wait for that can't be in the network yet.
    private(set) var waits: [String] = []

    /// - Parameters:
    ///   - isAlcors: whether Alcor has told of a subnet.
    ///   - macs: what subnets themselves say of their gateways'.
    init(_ network: Network, of isAlcors: (String) -> Bool, by routers: [AlcorRouter], _ macs: (String) -> MAC?) {
        self.network = network
        for index in network.subnets.indices where isAlcors(network.subnets[index].id) {
            let subnet = network.subnets[index]
            let mine = routers.filter { $0.tables[subnet.id] != nil }
            self.network.subnets[index].gatewayMAC = subnet.gateway == nil ? nil : macs(subnet.id) ?? mine.lazy.compactMap(\.mac).first
            self.network.subnets[index].routes = []
            for rule in mine.flatMap({ $0.tables[subnet.id] ?? [] }) { take(rule, at: index) }
        }
    }

    private mutating func take(_ rule: AlcorRouter.Rule, at index: Int) {
        let subnet = network.subnets[index]
        // Without a gateway there is nobody else that it could go to: as without the rule.
        guard let hop = rule.nextHop ?? subnet.gateway else { return }
        guard network.subnet(of: hop) != nil else {
            waits.append("a subnet of VPC \(network.id) that has \(hop) (\(rule.field).next_hop_ip)")
            return
        }
        var trial = network
        for place in trial.subnets.indices where place != index { trial.subnets[place].routes = [] }
        trial.subnets[index].routes.append(SubnetRoute(rule.destination, through: hop, priority: rule.priority))
        do throws(Rejected) {
            try trial.judgeRoutes { _, _, part, reason, valid in
                switch part {
                case "destination": .alcor(rule.field + ".destination", rule.destination, reason, valid: valid)
                case "nextHop": .alcor(rule.field + ".next_hop_ip", hop, reason, valid: valid)
                default: .alcor(rule.field + ".priority", rule.priority, reason, valid: valid)
                }
            }
            network.subnets[index].routes = trial.subnets[index].routes
        } catch {
            refused.append(error)
        }
    }
}
