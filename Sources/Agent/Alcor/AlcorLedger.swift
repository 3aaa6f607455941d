import Foundation
import HawserProtocol
import HostNetwork
import SwiftProtobuf

/// What Alcor has said and intents can't hold: lookup data that later messages leave out, and ports and neighbors that wait for a subnet.
struct AlcorLedger: Sendable {
    struct Key: Hashable, Sendable {
        var type: Alcor_Schema_ResourceType
        var id: String
    }

    struct Entry: Hashable, Sendable {
        var revision: UInt32
        /// The state as it came (protobuf).
        var content: Data

        /// How much it is of `AlcorLedger.mostValues`.
        fileprivate var values: Int { 1 + content.count / 64 }
    }

    /// Nothing more is remembered.
    struct Full: Error, CustomStringConvertible {
        let most: Int
        var description: String { "what is remembered has \(most) values already (intents.maxValues; 64 bytes are one)" }
    }

    private(set) var entries: [Key: Entry] = [:]
    /// Ports and neighbors whose subnets aren't all known; their states are among the entries, too.
    private(set) var waiting: [Key: AlcorState] = [:]
    /// The routers among the entries, read.
    private(set) var routers: [String: AlcorRouter] = [:]
    /// What the store doesn't have yet; nil for what is forgotten.
    private(set) var unsaved: [Key: Entry?] = [:]
    /// How many values all entries have, and may have.
    private var values = 0
    var mostValues = Int.max

    init() {}

    /// The revision in force of what is remembered.
    func revision(of key: Key) -> UInt32? { entries[key]?.revision }

    /// Throws where the state can't be written down, or is too much beside the others (`Full`); nothing has changed then.
    mutating func remember(_ state: AlcorState, waits: Bool = false) throws {
        let key = Key(type: state.type, id: state.id)
        let entry = Entry(revision: state.revision, content: try state.wire.serializedData())
        let growth = entry.values - (entries[key]?.values ?? 0)
        guard growth <= 0 || values + growth <= mostValues else { throw Full(most: mostValues) }
        if case .router(let wire) = state.asked { routers[state.id] = try wire.router }
        waiting[key] = waits ? state : nil
        guard entries[key] != entry else { return }
        values += growth
        entries[key] = entry
        unsaved[key] = .some(entry)
    }

    mutating func forget(_ key: Key) {
        waiting[key] = nil
        if key.type == .router { routers[key.id] = nil }
        guard let entry = entries.removeValue(forKey: key) else { return }
        values -= entry.values
        unsaved[key] = .some(nil)
    }

    /// The network that a remembered subnet is of.
    func owner(ofSubnet id: String) -> ID<Network>? { owner(entries[Key(type: .subnet, id: id)]) }

    /// The router as it is in force.
    func router(_ id: String) -> Alcor_Schema_RouterState? {
        entries[Key(type: .router, id: id)].flatMap { try? Alcor_Schema_RouterState(serializedBytes: $0.content) }
    }

    /// What a remembered subnet says of its gateway's MAC.
    func gatewayMAC(ofSubnet id: String) -> MAC? {
        guard let subnet = entries[Key(type: .subnet, id: id)],
            let state = try? Alcor_Schema_SubnetState(serializedBytes: subnet.content)
        else { return nil }
        return try? MAC.alcor(ofInterface: state.configuration.gateway.macAddress, "")
    }

    mutating func forgetSubnets(of network: ID<Network>) {
        for (key, entry) in entries where key.type == .subnet && owner(entry) == network { forget(key) }
    }

    /// Takes back that a network and its subnets were forgotten.
    mutating func keep(_ network: ID<Network>, as before: AlcorLedger) {
        for (key, entry) in before.entries where entries[key] == nil {
            guard key.type == .vpc && key.id == network.value || key.type == .subnet && owner(entry) == network else { continue }
            entries[key] = entry
            values += entry.values
            unsaved[key] = before.unsaved[key]
        }
    }

    private func owner(_ subnet: Entry?) -> ID<Network>? {
        guard let subnet, let state = try? Alcor_Schema_SubnetState(serializedBytes: subnet.content) else { return nil }
        return ID(state.configuration.vpcID)
    }

    /// The same, after it was stored.
    var saved: AlcorLedger {
        var ledger = self
        ledger.unsaved = [:]
        return ledger
    }
}

extension AlcorLedger {
    /// As the store has it. What can't be read any more is left out; `complain` is told of it.
    init(_ stored: [Key: Entry], _ settings: Settings.Alcor, complain: (Key, any Error) -> Void) {
        entries = stored
        values = stored.values.reduce(0) { $0 + $1.values }
        for (key, entry) in stored {
            do {
                switch key.type {
                case .port: waiting[key] = AlcorState(try Alcor_Schema_PortState(serializedBytes: entry.content), settings)
                case .neighbor: waiting[key] = AlcorState(try Alcor_Schema_NeighborState(serializedBytes: entry.content), settings)
                case .router: routers[key.id] = try Alcor_Schema_RouterState(serializedBytes: entry.content).router
                default: continue
                }
            } catch {
                complain(key, error)
            }
        }
    }
}
