import CLibMNL
import CLinux
import HostNetwork
package import Netlink
import Synchronization
import SystemPackage

/// Listens at the pod sides of pairs, inside the pods' namespaces, each with a socket of its own.
///
/// What happens there is mostly the pod's doing, and there are thousands. So each socket holds a few messages only and is waited for once: after
/// it has told of something, nothing more is read from it until somebody has looked at that pod, however much the pod does meanwhile.
///
/// A socket keeps its namespace alive; one whose path leads elsewhere by now is closed by `sweep`.
package final class PodSides: Sendable {
    /// What a pod side is believed to be like.
    struct Expectation: Hashable, Sendable {
        var index: InterfaceIndex
        var name: String
        var mac: MAC
        /// Bytes.
        var mtu: Int
        var isUp: Bool
    }

    private final class Side {
        let socket: EventSocket
        let home: NetworkNamespace.Identity
        let path: String
        let token: UInt64
        var expected: Expectation?
        /// Of the sockets by which Hawser changed something there last.
        var ports: [UInt32] = []
        /// How often it may tell of what is no news.
        var pace = Pace(burst: 20, every: .milliseconds(100))

        init(_ socket: consuming EventSocket, in home: NetworkNamespace.Identity, at path: String, token: UInt64) {
            self.socket = socket
            self.home = home
            self.path = path
            self.token = token
        }
    }

    private struct State: ~Copyable {
        var sides: [LinkName: Side] = [:]
        var names: [UInt64: LinkName] = [:]
        var lastToken: UInt64 = 0
        var buffer = EventBuffer()

        mutating func close(_ name: LinkName) {
            if let side = sides.removeValue(forKey: name) { names[side.token] = nil }
        }
    }

    private static let groups = [
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_NEIGH,
    ].map(\.rawValue)

    private let state = Mutex(State())
    /// Readable when a side has told of something.
    let descriptor: FileDescriptor

    package init() throws(TransportError) {
        let set = hawser_epoll()
        guard set >= 0 else { throw .system(.current, doing: "epoll_create1") }
        descriptor = FileDescriptor(rawValue: set)
    }

    deinit { try? descriptor.close() }

    /// How many are listened to.
    package var count: Int { state.withLock { $0.sides.count } }

    // MARK: For those who change and look

    /// Takes no notice of a pod side until `listen`, from which on nothing of what happened meanwhile is lost. It is called by a thread that
    /// is inside the pod's namespace.
    ///
    /// - Parameter forgets: what it has told of already doesn't matter: it is looked at next. If not, it is about to be changed, of which more is
    ///   told than a socket has room for otherwise.
    func pause(_ name: LinkName, in home: NetworkNamespace.Identity, at path: String, forgets: Bool) {
        state.withLock { state in
            if let side = state.sides[name], side.home == home {
                _ = hawser_epoll_disarm(descriptor.rawValue, side.socket.descriptor.rawValue, side.token)
                if forgets { _ = state.buffer.drain(side.socket.descriptor) { _, _ in } } else { side.socket.hold(.ample) }
                return
            }
            state.close(name)
            // Without a socket, as when there are no more descriptors, the pod side is looked at with everything else.
            guard let socket = try? EventSocket(groups: Self.groups) else { return }
            state.lastToken += 1
            if !forgets { socket.hold(.ample) }
            let side = Side(socket, in: home, at: path, token: state.lastToken)
            guard hawser_epoll_add(descriptor.rawValue, side.socket.descriptor.rawValue, side.token) == 0 else { return }
            state.sides[name] = side
            state.names[side.token] = name
        }
    }

    /// - Parameters:
    ///   - expected: what it is like now; nil: as before.
    ///   - port: of the socket by which it was changed.
    func listen(to name: LinkName, expecting expected: Expectation? = nil, except port: UInt32? = nil) {
        state.withLock { state in
            guard let side = state.sides[name] else { return }
            if let expected { side.expected = expected }
            if let port { side.ports = side.ports.suffix(3) + [port] }
            _ = hawser_epoll_arm(descriptor.rawValue, side.socket.descriptor.rawValue, side.token)
        }
    }

    func close(_ name: LinkName) { state.withLock { $0.close(name) } }

    func closeAll(but names: Set<LinkName>) {
        state.withLock { state in
            for name in state.sides.keys where !names.contains(name) { state.close(name) }
        }
    }

    // MARK: For the one who listens

    /// The pod sides of which there is news, and whose socket led to it; these aren't listened to until `listen`.
    func take() -> [(link: LinkName, port: UInt32, home: NetworkNamespace.Identity)] {
        state.withLock { state in
            var news: [(LinkName, UInt32, NetworkNamespace.Identity)] = []
            // A socket that is closed meanwhile is waited for no more.
            for _ in 0..<256 {
                let token = hawser_epoll_next(descriptor.rawValue)
                guard token != 0 else { break }
                guard let name = state.names[token], let side = state.sides[name] else { continue }
                var isNews = false
                var port: UInt32 = 0
                let isComplete = state.buffer.drain(side.socket.descriptor) { header, message in
                    guard !side.ports.contains(header.port), side.expected?.isNews(header, message) ?? true else { return }
                    isNews = true
                    if header.port != 0 { port = header.port }
                }
                side.socket.hold(.least)
                let now = ContinuousClock.now
                if isNews || !isComplete || side.pace.next(at: now) > now {
                    news.append((name, port, side.home))
                } else {
                    _ = hawser_epoll_arm(descriptor.rawValue, side.socket.descriptor.rawValue, token)
                }
            }
            return news
        }
    }

    /// Lets go of namespaces whose paths are gone or lead to others; of the latter there is news.
    func sweep() -> [LinkName] {
        state.withLock { state in
            var moved: [LinkName] = []
            for (name, side) in state.sides {
                let there = try? NetworkNamespace(at: side.path).identity
                guard there != side.home else { continue }
                state.close(name)
                if there != nil { moved.append(name) }
            }
            return moved
        }
    }
}

extension PodSides.Expectation {
    /// Whether a message tells of something that isn't as expected, or that was taken away. What the pod adds for itself isn't.
    fileprivate func isNews(_ header: MessageHeader, _ message: RawSpan) -> Bool {
        switch header.type {
        case .newLink:
            guard let info = message.structure(at: MessageHeader.size, as: ifinfomsg.self), Int32(info.ifi_family) == AF_UNSPEC,
                let link = FoundLink(header, message), link.index == index
            else { return false }
            return Self(index: link.index, name: link.name, mac: link.mac, mtu: link.mtu, isUp: link.isUp) != self
        case .deleteLink: return FoundLink(header, message)?.index == index
        case .deleteAddress: return FoundAddress(header, message)?.index == index
        case .newRoute, .deleteRoute:
            guard let route = FoundRoute(header, message), route.table == UInt32(RT_TABLE_MAIN.rawValue) else { return false }
            return header.type == .deleteRoute ? route.maker == Marks.routeProtocol : header.flags.contains(.replace)
        case .newNeighbor, .deleteNeighbor:
            var maker: UInt8 = 0
            message.attributes(after: ndmsg.self) { number, payload in
                if Int(number) == NDA_PROTOCOL { maker = payload.number() }
            }
            return maker == Marks.routeProtocol
        default: return false
        }
    }
}
