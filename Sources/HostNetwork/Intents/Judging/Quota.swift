/// How many values (`Intent.values`) resources may have once a change is taken in. What doesn't grow is always taken in.
package struct Quota: Hashable, Sendable {
    /// Of all resources together.
    private let most: Int
    /// The networks of a client that is held to some, and how many values may be in these together.
    private let networks: Set<ID<Network>>?
    private let mostOfNetworks: Int

    /// Clients that are held to networks leave a quarter to those that may change everything, and each of them takes no more than another
    /// quarter.
    ///
    /// - Parameters:
    ///   - most: `intents.maxValues`.
    ///   - scope: what the client may change; nil: everything.
    ///   - freed: how many values the same change deletes.
    package init(_ most: Int, _ scope: Scope?, freed: Int = 0) {
        let least = most == .max ? 0 : freed
        self.most = (scope == nil ? most : most - most / 4) + least
        networks = scope?.networks
        mostOfNetworks = max(1, most / 4) + least
    }

    /// Throws where the resource doesn't fit in beside the others.
    func judge(_ intent: Intent, replacing previous: Intent?, in intents: Intents) throws(Rejected) {
        let (new, old) = (intent.values, previous?.values ?? 0)
        guard new > old else { return }
        func rejected(_ reason: String) -> Rejected {
            Rejected(intent: intent.id, field: "", reason: "\(reason), and it has \(new) (intents.maxValues)")
        }
        if let networks {
            let used = networks.reduce(0) { $0 + (intents.index.valuesByNetwork[$1] ?? 0) }
            guard used + new - old <= mostOfNetworks else {
                throw rejected("this client's networks have \(used) of at most \(mostOfNetworks) values")
            }
        }
        guard intents.values + new - old <= most else {
            // How much others have is nothing to tell a client that is held to networks.
            let told =
                networks == nil ? "this host has \(intents.values) of at most \(most) values" : "this host has no room for more values"
            throw rejected(told)
        }
    }
}
