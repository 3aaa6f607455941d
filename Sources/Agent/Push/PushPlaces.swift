import Synchronization

/// The places of the push port: of strangers, who are in the middle of their handshakes, and of clients, each of whom has a share.
///
/// Strangers take no client's place. When there are too many handshakes, the newest takes the place of the oldest of the source that has the
/// most of them: whoever opens connections and says nothing is in nobody's way but his own, and where strangers come from as many sources as
/// there are places, a client only has to be quicker than all those that begin after it.
final class PushPlaces: Sendable {
    /// A connection's place.
    struct Ticket: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    /// How many places there are.
    struct Limits: Hashable, Sendable {
        /// At a time; each costs memory for TLS, which is some 50 KiB.
        var handshakes = 256
        /// Of clients.
        var all: Int

        /// Of all that may not push everything, together; the others are kept for those who may.
        var restricted: Int { all == 1 ? 1 : all - max(1, all / 4) }
        /// Of one client that may not push everything, and of one that may.
        var each: Int { max(1, all / 4) }
        var eachPrivileged: Int { max(1, all - all / 2) }
    }

    /// Why there is no place for a client.
    enum Refusal: Error, Hashable, CustomStringConvertible {
        case full(Int)
        case kept(Int)
        case share(Int)

        var description: String {
            switch self {
            case .full(let all): "there are \(all) connections already (push.maxConnections)"
            case .kept(let restricted):
                "there are \(restricted) connections already of clients that may not push everything; other places are kept for those that may "
                    + "(push.maxConnections)"
            case .share(let each): "it has \(each) connections already, its share (push.maxConnections)"
            }
        }
    }

    private struct Handshake {
        var ticket: Ticket
        var hangUp: @Sendable () -> Void
    }

    private struct Client {
        var name: String
        var isPrivileged: Bool
    }

    private struct State {
        var next: UInt64 = 0
        /// The oldest of each source first.
        var handshakes: [PushSource: [Handshake]] = [:]
        var sources: [Ticket: PushSource] = [:]
        var clients: [Ticket: Client] = [:]

        mutating func ticket() -> Ticket {
            next += 1
            return Ticket(number: next)
        }

        mutating func remove(handshake ticket: Ticket) {
            guard let source = sources.removeValue(forKey: ticket) else { return }
            handshakes[source]?.removeAll { $0.ticket == ticket }
            if handshakes[source]?.isEmpty ?? false { handshakes[source] = nil }
        }

        /// The oldest handshake of whoever has most of them.
        var mostDispensable: Handshake? {
            handshakes.values.compactMap { those in those.first.map { (count: those.count, oldest: $0) } }
                .max { ($0.count, $1.oldest.ticket.number) < ($1.count, $0.oldest.ticket.number) }?.oldest
        }
    }

    let limits: Limits
    private let state = Mutex(State())

    init(_ limits: Limits) { self.limits = limits }

    /// Begins a handshake, in the place of another where there are too many.
    ///
    /// - Parameter hangUp: ends the connection; called when its place is another's, and not after `leave`.
    func begin(from source: PushSource, hangUp: @escaping @Sendable () -> Void) -> Ticket {
        let (ticket, dispensable) = state.withLock { state in
            let dispensable = state.sources.count >= limits.handshakes ? state.mostDispensable : nil
            if let dispensable { state.remove(handshake: dispensable.ticket) }
            let ticket = state.ticket()
            state.handshakes[source, default: []].append(Handshake(ticket: ticket, hangUp: hangUp))
            state.sources[ticket] = source
            return (ticket, dispensable)
        }
        dispensable?.hangUp()
        return ticket
    }

    /// Gives a client its place; its handshake is over.
    func admit(_ ticket: Ticket, _ client: PushClient) throws(Refusal) {
        let refusal: Refusal? = state.withLock { state in
            state.remove(handshake: ticket)
            let refusal = self.refusal(of: client, state)
            if refusal == nil { state.clients[ticket] = Client(name: client.name, isPrivileged: client.rights.mayPushAll) }
            return refusal
        }
        if let refusal { throw refusal }
    }

    /// Gives a place to somebody who has no name, and no handshake: without TLS there is neither.
    func admitNobody() throws(Refusal) -> Ticket {
        let ticket: Ticket? = state.withLock { state in
            guard state.clients.count < limits.all else { return nil }
            let ticket = state.ticket()
            state.clients[ticket] = Client(name: "", isPrivileged: true)
            return ticket
        }
        guard let ticket else { throw .full(limits.all) }
        return ticket
    }

    private func refusal(of client: PushClient, _ state: State) -> Refusal? {
        guard state.clients.count < limits.all else { return .full(limits.all) }
        let isPrivileged = client.rights.mayPushAll
        let restricted = state.clients.values.count { !$0.isPrivileged }
        guard isPrivileged || restricted < limits.restricted else { return .kept(limits.restricted) }
        let share = isPrivileged ? limits.eachPrivileged : limits.each
        guard state.clients.values.count(where: { $0.name == client.name }) < share else { return .share(share) }
        return nil
    }

    /// The connection is over.
    func leave(_ ticket: Ticket) {
        state.withLock { state in
            state.remove(handshake: ticket)
            state.clients[ticket] = nil
        }
    }

    /// Clients, and strangers.
    var count: (clients: Int, handshakes: Int) { state.withLock { ($0.clients.count, $0.sources.count) } }
}
