import Testing

/// Changes that a fault comes into the middle of.
enum FaultApply: String, CaseIterable, Sendable { case attach, rebinding, deletion }

extension FaultPlace {
    func worlds(of apply: FaultApply) -> (before: String, after: String) {
        switch apply {
        case .attach: (everything("a", isExtra: false), everything("a", isExtra: true))
        case .rebinding: (everything("a", isExtra: false), everything("b", isExtra: false))
        case .deletion: (everything("a", isExtra: true), everything("a", isExtra: false))
        }
    }

    /// What packets and the kernel's lists say of the pods that change.
    struct Seen: Equatable {
        /// By family.
        var policy: [String]
        var links: Int
    }

    func look() throws -> Seen { Seen(policy: try (0...1).map(policy), links: try host.links().count) }

    func apply(_ world: String) throws {
        let outcome = try host.prune(world)
        #expect(outcome.status == 0, "\(outcome.output) \(outcome.complaints)")
    }
}
