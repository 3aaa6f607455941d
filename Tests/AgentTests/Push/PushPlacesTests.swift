import HostNetwork
import Synchronization
import Testing

@testable import Agent

@Suite("The places of the push port") struct PushPlacesTests {
    /// Which connections were hung up on, in order.
    private final class Ended: Sendable {
        private let names = Mutex<[String]>([])
        var all: [String] { names.withLock { $0 } }
        func hangUp(_ name: String) -> @Sendable () -> Void { { self.names.withLock { $0.append(name) } } }
    }

    private static func client(_ name: String, all: Bool = false) -> PushClient {
        PushClient(name: name, rights: all ? .everything : PushRights(mayRead: true), source: Source.push(name))
    }

    private static func source(_ text: String) -> PushSource { PushSource(try? IPAddress(parsing: text)) }

    @Test("are taken, where handshakes are too many, from the oldest of the source that has the most")
    func handshakes() {
        let (places, ended) = (PushPlaces(.init(handshakes: 4, all: 8)), Ended())
        let crowd = Self.source("192.0.2.1")
        let first = places.begin(from: crowd, hangUp: ended.hangUp("first"))
        for name in ["second", "third"] { _ = places.begin(from: crowd, hangUp: ended.hangUp(name)) }
        _ = places.begin(from: Self.source("192.0.2.2"), hangUp: ended.hangUp("other"))
        #expect(ended.all.isEmpty)
        places.leave(first)
        for name in ["fourth", "fifth"] { _ = places.begin(from: crowd, hangUp: ended.hangUp(name)) }
        #expect(ended.all == ["second"])
        _ = places.begin(from: Self.source("192.0.2.3"), hangUp: ended.hangUp("late"))
        #expect(ended.all == ["second", "third"])
        // Of as many sources as there are places, the oldest of all.
        for number in 10..<13 { _ = places.begin(from: Self.source("198.51.100.\(number)"), hangUp: ended.hangUp("\(number)")) }
        #expect(ended.all == ["second", "third", "fourth", "other", "fifth"])
        #expect(places.count == (0, 4))
    }

    @Test("count for a source by its IPv4 address, or by its IPv6 network, however a socket spells it")
    func sources() {
        #expect(Self.source("192.0.2.1") != Self.source("192.0.2.2"))
        #expect(Self.source("::ffff:192.0.2.1") == Self.source("192.0.2.1"))
        #expect(Self.source("::ffff:192.0.2.1") != Self.source("::ffff:192.0.2.2"))
        #expect(Self.source("2001:db8::1") == Self.source("2001:db8::ffff:1"))
        #expect(Self.source("2001:db8::1") != Self.source("2001:db8:0:1::1"))
    }

    @Test("are shared out by name, some are kept for those that may push everything, and each is free again when it is left")
    func shares() throws {
        let places = PushPlaces(.init(all: 8))
        func enter(_ client: PushClient) throws(PushPlaces.Refusal) -> PushPlaces.Ticket {
            let ticket = places.begin(from: Self.source("192.0.2.1")) {}
            try places.admit(ticket, client)
            return ticket
        }
        let reader = try (enter(Self.client("a")), enter(Self.client("a")))
        #expect(throws: PushPlaces.Refusal.share(2)) { try enter(Self.client("a")) }
        for name in ["b", "b", "c", "c"] { _ = try enter(Self.client(name)) }
        #expect(throws: PushPlaces.Refusal.kept(6)) { try enter(Self.client("d")) }
        let controller = try (enter(Self.client("x", all: true)), enter(Self.client("x", all: true)))
        #expect(throws: PushPlaces.Refusal.full(8)) { try enter(Self.client("y", all: true)) }
        places.leave(reader.0)
        _ = try enter(Self.client("d"))
        places.leave(controller.0)
        _ = try enter(Self.client("y", all: true))
        #expect(places.count == (8, 0))
    }

    @Test("are shared out whatever their number: none but the last is kept from anybody, and one client never has all", arguments: 1...200)
    func numbers(all: Int) {
        let limits = PushPlaces.Limits(all: all)
        #expect(limits.restricted >= 1 && limits.each >= 1 && limits.eachPrivileged >= 1)
        #expect(all == 1 || limits.restricted < all && limits.each <= limits.restricted)
        #expect(all < 2 || limits.eachPrivileged < all)
    }
}
