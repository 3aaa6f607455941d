/// What becomes of a packet, and why.
package struct Judgement: Hashable, Sendable {
    /// A rule that held for the packet to its end.
    package struct Step: Hashable, Sendable {
        package var chain: Named
        package var statements: Statements
        /// The rule, or the chain that it stands in by its place.
        package var line: Entry
        /// The elements of sets that it found the packet in, in the order of its statements.
        package var elements: [Entry]
        /// Nil for a rule that doesn't decide, as one that stamps.
        package var verdict: Verdict?

        /// What a person is told of it: the element that makes the difference, or the rule. Its `because` is the group's and its
        /// `comment` the id of the group's rule, or both are those of the pod whose traffic was denied.
        package var reason: Entry {
            elements.last { $0.because == line.because || line.because == Layout.because } ?? line
        }
    }

    /// What one base chain made of the packet; a forwarded packet between two pods meets two.
    package struct Half: Hashable, Sendable {
        package var base: Named
        package var isAccepted: Bool
        /// In the order in which they held, jumps included.
        package var steps: [Step]

        /// The rule that decided; none if the packet went through by the chain's policy.
        package var decision: Step? {
            // What turns a stamp into a good one isn't what allowed it.
            guard let last = steps.last?.verdict, last.chain == nil, last != .return else { return nil }
            let confirming = Set(Flow.allCases.flatMap { flow in Way.allCases.map { Layout.allow(flow, $0) } })
            return steps.last { !confirming.contains($0.chain) && $0.verdict != nil }
        }
    }

    /// By priority, up to the one that dropped the packet.
    package var halves: [Half] = []
    /// The packet as it goes on: its flow's mark may be another.
    package var packet: Packet

    package var isAccepted: Bool { halves.allSatisfy(\.isAccepted) }
    /// The rule that dropped the packet, or else the one that accepted it last; none where no rule decided.
    package var decision: Step? { halves.last { $0.decision != nil }?.decision }
    /// The mark of the packet's flow afterwards; nil for a packet that isn't tracked.
    package var mark: UInt32? { packet.mark }
}
