/// The subnets of the networks that pods of this host are attached to, as one exact union: they may have some in common.
struct SubnetsPart {
    var networks: [Network]

    var entries: [Entry] {
        AddressRange.disjointUnion(networks.flatMap(\.subnets).map { AddressRange($0.cidr) }).map { range in
            let (first, last) = (KeyBytes.of { $0.address(range.first) }, KeyBytes.of { $0.address(range.last) })
            let element = Element(Layout.subnets(range.family).id, first, through: last, isSingleField: true)
            return Entry(.element(element), because: Layout.because, comment: "hawser")
        }
    }
}
