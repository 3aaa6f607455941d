import HostNetwork
import Testing

@testable import Agent

@Suite("What is suspected") struct SuspicionTests {
    private let start = ContinuousClock.now
    private static let links = (0..<3).map { LinkName(of: ID("pod-\($0)")) }

    private func sides(_ suspicion: inout Suspicion, at time: ContinuousClock.Instant) -> [LinkName] {
        var taken: [LinkName] = []
        while let side = suspicion.takeSide(at: time) { taken += side.suspects.sides }
        return taken
    }

    @Test("of pods' own ends is taken one by one, the longest due first, and apart from everything else")
    func order() {
        var suspicion = Suspicion()
        for (number, link) in Self.links.enumerated().reversed() {
            _ = suspicion.note(
                .side(link), Suspects(sides: [link]), by: nil, at: start + .milliseconds(number))
        }
        #expect(!suspicion.isDue(at: start + .seconds(1)))
        _ = suspicion.note(.link(Self.links[0]), Suspects(links: [Self.links[0]]), by: nil, at: start)
        #expect(suspicion.isDue(at: start))
        #expect(suspicion.take(at: start + .seconds(1)).suspects == Suspects(links: [Self.links[0]]))
        #expect(sides(&suspicion, at: start + .milliseconds(1)) == Array(Self.links.prefix(2)))
        #expect(sides(&suspicion, at: start + .milliseconds(2)) == [Self.links[2]])
        #expect(suspicion.next == nil)
    }

    @Test("of pods' own ends waits for the end of a rest; nothing else does")
    func rest() {
        var suspicion = Suspicion()
        suspicion.rest(until: start + .seconds(2))
        _ = suspicion.note(.side(Self.links[0]), Suspects(sides: [Self.links[0]]), by: nil, at: start)
        #expect(suspicion.next == start + .seconds(2))
        #expect(sides(&suspicion, at: start + .seconds(1)) == [])
        _ = suspicion.note(.elsewhere, by: nil, at: start)
        #expect(suspicion.next == start && suspicion.isDue(at: start))
        _ = suspicion.take(at: start)
        #expect(sides(&suspicion, at: start + .seconds(2)) == [Self.links[0]])
    }

    @Test("of an end that is to be left alone for a while isn't looked at before, whatever happens there")
    func postponed() {
        var suspicion = Suspicion()
        _ = suspicion.note(.side(Self.links[0]), Suspects(sides: [Self.links[0]]), by: nil, at: start)
        suspicion.postpone(Self.links[0], until: start + .seconds(60))
        for second in 1..<60 {
            let due = suspicion.note(
                .side(Self.links[0]), Suspects(sides: [Self.links[0]]), by: nil, at: start + .seconds(second))
            #expect(due == start + .seconds(60))
            #expect(sides(&suspicion, at: start + .seconds(second)) == [])
        }
        #expect(sides(&suspicion, at: start + .seconds(60)) == [Self.links[0]])
    }
}
