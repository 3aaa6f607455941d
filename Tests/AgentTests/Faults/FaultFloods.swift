import Lab
import Testing

/// What goes on between pods while something fails: datagrams that are allowed whatever happens, and some that never are.
struct FaultFloods: Sendable {
    let untouched: Flood
    let never: Flood

    /// Ends both: none of the ones was lost, and none of the others came through.
    ///
    /// - Parameter sent: how many of each there must have been, at least.
    func expectUndisturbed(sent: Int = 100, _ location: SourceLocation = #_sourceLocation) {
        let (untouched, never) = (untouched.stop(after: sent), never.stop(after: sent))
        #expect(untouched.lost == [], "of \(untouched.sent)", sourceLocation: location)
        #expect(never.received == 0, "of \(never.sent)", sourceLocation: location)
    }
}
