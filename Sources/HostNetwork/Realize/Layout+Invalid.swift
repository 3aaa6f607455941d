/// What becomes of packets that tracking can't place in any flow (INVALID): segments outside of a connection's window, ICMP errors about
/// flows that don't exist. They are counted on their own, and never make a flow.
package enum InvalidPackets: String, Hashable, Sendable, CaseIterable {
    /// The rules decide, by the packet's own headers: on an asymmetric path the host sees one direction only, and much looks invalid to it.
    case rules
    /// They are dropped, whatever the rules say, for pods whose groups are stateful.
    case drop
}

extension Layout {
    /// Where an invalid packet is counted and, where the setting says so, dropped; nothing else comes here. An ICMP error
    /// that a pod sends is dropped whatever the setting says.
    var invalidChains: [Chain] {
        [(Flow.out, Selector.iifname), (.in, .oifname)].map { flow, link in
            let counted: Statement = .lookup([link], in: BaseSet.invalid(flow).name)
            return switch invalid {
            case .rules: Chain(Self.invalid(flow), body: [[counted]] + (flow == .out ? refusingErrors : []))
            // Kernels that call whatever is UDP-Lite invalid (Linux 6.18) can't judge it: there the rules decide.
            case .drop:
                Chain(
                    Self.invalid(flow),
                    body: [[.equal(.l4proto, UInt32(IPProtocol.udplite.number)), counted, .verdict(.return)], [counted, .verdict(.drop)]]
                        + (flow == .out ? refusingErrors : []))
            }
        }
    }

    static func invalid(_ flow: Flow) -> Named { Named(.inet, "count-invalid-\(flow.text)") }

    /// Stands where a packet is judged that isn't known to be of a good flow. A packet that is invalid has neither direction nor mark, so
    /// it gets there as if it opened a flow.
    func countingInvalid(_ flow: Flow) -> [Statements] { [[.equal(.ctState, CTState.invalid), .verdict(.jump(Self.invalid(flow).name))]] }

    /// What no rule allows: counted as denied, but for what has been counted as invalid.
    func refused(_ flow: Flow, by link: Selector) -> [Statements] {
        let counted: [Statements] = invalid == .rules ? [[.equal(.ctState, CTState.invalid), .verdict(.drop)]] : []
        return counted + denied(flow, by: link)
    }
}
