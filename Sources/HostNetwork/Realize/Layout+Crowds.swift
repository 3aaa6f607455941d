extension Layout {
    /// Where pods are held to a number of tracked flows.
    var crowdSets: [BaseSet] { podFlows.map { [.crowded($0), .surplus] } ?? [] }

    /// ct state new iifname @crowded-N iifname @surplus drop
    ///
    /// The table of tracked flows is shared by all: whoever fills it stops what others begin (`nf_conntrack_alloc`,
    /// net/netfilter/nf_conntrack_core.c). Packets of flows that are known pass before this, so it costs the first one of a flow alone.
    var refusingCrowds: [Statements] {
        guard let podFlows else { return [] }
        return [
            [
                .equal(.ctState, CTState.new), .lookup([.iifname], in: BaseSet.crowded(podFlows).name),
                .lookup([.iifname], in: BaseSet.surplus.name), .verdict(.drop),
            ]
        ]
    }
}

extension PodPart {
    /// A pod without port security isn't filtered at all.
    var crowd: [Object] { pod.portSecurity ? layout.crowdSets.map { .element(Element($0.id, linkKey)) } : [] }
}
