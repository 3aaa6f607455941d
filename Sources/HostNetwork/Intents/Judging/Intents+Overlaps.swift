/// In the shared routing domain an address means one thing, whoever pushed the network that it is of.
extension Intents {
    /// Throws when a subnet that is new takes addresses of another shared network, or of the host itself. One in force isn't judged
    /// again: what the host got later takes nothing away, and is told by `overlaps(of:)`.
    func judgeOverlaps(of network: Network) throws(Rejected) {
        guard !network.isolated else { return }
        let inForce = networks[network.id].flatMap { $0.isolated ? nil : Set($0.subnets.map(\.cidr)) } ?? []
        for (position, subnet) in network.subnets.enumerated() where !inForce.contains(subnet.cidr) {
            guard let other = hostPlaces.place(overlapping: subnet.cidr)?.description ?? rival(of: subnet.cidr, in: network.id)
            else { continue }
            throw Rejected(
                intent: network.id.intent, field: "subnets[\(position)].cidr", value: "\(subnet.cidr)", reason: "overlaps \(other)",
                valid: "a prefix apart from those of the host and of other networks that aren't isolated, or isolated: true")
        }
    }

    /// Returns what a shared network in force overlaps all the same, as in "waits for …": what the host got after it, and what was in
    /// force before overlaps were refused.
    package func overlaps(of id: ID<Network>) -> [String] {
        guard let network = networks[id], !network.isolated else { return [] }
        return network.subnets.compactMap { subnet in
            guard let other = hostPlaces.place(overlapping: subnet.cidr)?.description ?? rival(of: subnet.cidr, in: id) else { return nil }
            return "an end of the overlap of subnet \(subnet.id) (\(subnet.cidr)) with \(other)"
        }
    }

    private func rival(of cidr: Prefix, in id: ID<Network>) -> String? {
        guard let (other, owner) = index.sharedSubnets.first(overlapping: cidr, where: { $0 != id }) else { return nil }
        let subnet = networks[owner]?.subnets.first { $0.cidr == other }?.id ?? ""
        return "\(other), subnet \(subnet) of network \(owner)"
    }
}

extension Network {
    /// Returns why a pair may be allowed by the operator alone; nil for one inside of a subnet that leaves out the gateway, which is the
    /// host's own address.
    func objection(to pair: Prefix) -> String? {
        guard let subnet = subnets.first(where: { $0.cidr.contains(pair) }) else { return "outside of network \(id)" }
        guard let gateway = subnet.gateway, pair.contains(gateway) else { return nil }
        return "it holds \(gateway), the gateway of subnet \(subnet.id)"
    }
}
