/// The subnets of the networks that pods of this host are attached to, as one exact union: they may have some in common.
/// Without the gateways, which are addresses of hosts: of each host that has a pod of the subnet.
struct SubnetsPart {
    var networks: [Network]

    var entries: [Entry] {
        let subnets = networks.flatMap(\.subnets)
        let gateways = subnets.compactMap(\.gateway).map { AddressRange(Prefix($0)) }
        return AddressRange.disjointUnion(subnets.map { AddressRange($0.cidr) }).flatMap { $0.subtracting(gateways) }.map { range in
            let (first, last) = (KeyBytes.of { $0.address(range.first) }, KeyBytes.of { $0.address(range.last) })
            let element = Element(Layout.subnets(range.family).id, first, through: last, isSingleField: true)
            return Entry(.element(element), because: Layout.because, comment: "hawser")
        }
    }
}
