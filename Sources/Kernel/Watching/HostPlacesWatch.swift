import CLibMNL
package import HostNetwork
import Netlink
import Synchronization
import SystemPackage

/// Tells what the host itself uses of all addresses, and tells it again whenever that changes, on a thread of its own.
package enum HostPlacesWatch {
    private static let groups = [
        RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
    ].map(\.rawValue)

    /// Returns what there is now (nil: the kernel doesn't say), and a stream of what there is later; the thread ends when nobody listens any
    /// more.
    ///
    /// - Parameter namespace: the one whose routing networks share.
    package static func begin(
        in namespace: borrowing NetworkNamespace
    ) throws(OpenFailure) -> (now: HostPlaces?, changes: AsyncStream<HostPlaces>) {
        // It listens before it reads, so that nothing is missed in between.
        let news = try NetlinkSocket(.route, in: namespace, groups: groups, space: 1 << 20)
        var reader = HostPlacesReader(socket: try NetlinkSocket(.route, in: namespace))
        let (changes, continuation) = AsyncStream.makeStream(of: HostPlaces.self, bufferingPolicy: .bufferingNewest(1))
        do throws(TransportError) {
            let now = try? reader.read()
            let waker = try Waker()
            let listening = Listening(news, reader, now)
            continuation.onTermination = { _ in waker.wake() }
            do throws(Errno) {
                try WaitingThread.start { listening.run(until: waker, continuation) }
            } catch {
                throw .system(error, doing: "starting a thread")
            }
            return (now, changes)
        } catch {
            throw .transport(error)
        }
    }

    /// Whether a message tells of something that may count. Hawser's own addresses and routes don't, of which there are thousands.
    fileprivate static func isNews(_ header: MessageHeader, _ message: RawSpan) -> Bool {
        switch header.type {
        case .newAddress, .deleteAddress: FoundPlaces(header, message) != nil
        case .newRoute, .deleteRoute: FoundRoute(header, message)?.isOnLink ?? false
        default: false
        }
    }
}

/// The sockets and what was told last, handed over to the thread.
private final class Listening: Sendable {
    private struct State: ~Copyable {
        var news: NetlinkSocket
        var reader: HostPlacesReader
        /// Nil: it hasn't been read yet.
        var last: HostPlaces?

        /// Takes what has come; whether the host is to be read again. More than the socket could hold: something may have changed.
        mutating func drain() throws(TransportError) -> Bool {
            var isNews = false
            do throws(TransportError) {
                _ = try news.drain { header, message in isNews = isNews || HostPlacesWatch.isNews(header, message) }
            } catch .answersLost, .answerCut {
                return true
            }
            return isNews
        }
    }

    /// Time between two readings: at least this many milliseconds, and this many times as long as a reading takes.
    private static let (pause, share) = (100, 20)

    private let state: Mutex<State>

    init(_ news: consuming sending NetlinkSocket, _ reader: consuming sending HostPlacesReader, _ now: HostPlaces?) {
        state = Mutex(State(news: news, reader: reader, last: now))
    }

    func run(until waker: Waker, _ continuation: AsyncStream<HostPlaces>.Continuation) {
        defer { continuation.finish() }
        // The thread holds the lock for as long as it lives: there is nobody else.
        state.withLock { state in
            do throws(TransportError) {
                var isOld = state.last == nil
                while true {
                    if !isOld {
                        if try Readable.wait(for: [waker.readable, state.news.descriptor])[0] { return }
                        isOld = try state.drain()
                        continue
                    }
                    let start = ContinuousClock.now
                    // What can't be read now is read again; until then it is as it was.
                    if let places = try? state.reader.read() {
                        isOld = false
                        if places != state.last {
                            state.last = places
                            continuation.yield(places)
                        }
                    }
                    let taken = Int((ContinuousClock.now - start) / .milliseconds(1))
                    let rest = isOld ? 1000 : max(Self.pause, min(Self.share * taken, 60_000))
                    if try Readable.wait(for: [waker.readable], milliseconds: Int32(rest))[0] { return }
                    if try state.drain() { isOld = true }
                }
            } catch {
                // Nothing more is learned; what was told last stays.
            }
        }
    }
}

/// Reads a namespace's addresses and the routes out of its links, but for Hawser's own.
struct HostPlacesReader: ~Copyable {
    var socket: NetlinkSocket

    /// Makers of routes that say what is on a link (`RTPROT_…`, linux/rtnetlink.h): the kernel, commands, administrators and network
    /// managers. Not routing daemons, whose tables may have a million routes and lead elsewhere.
    private static let makers = [RTPROT_KERNEL, RTPROT_BOOT, RTPROT_STATIC, RTPROT_RA, RTPROT_DHCP].map { UInt8($0) }

    mutating func read() throws(TransportError) -> HostPlaces {
        let addresses = try socket.dump(.getAddress, { $0.put(raw: ifaddrmsg()) }, FoundPlaces.init)
        var routes: [FoundRoute] = []
        for family in Family.allCases {
            for maker in Self.makers {
                routes += try FoundRoute.all(family, by: maker, through: &socket).filter(\.isOnLink)
            }
        }
        let names = try names(of: Set(addresses.map(\.index)).union(routes.compactMap(\.index)))
        var places: [HostPlaces.Place] = []
        for found in addresses {
            guard let name = names[found.index] else { continue }
            places.append(.init(Prefix(found.own), at: name, isOwn: true))
            if let link = found.link { places.append(.init(link, at: name, isOwn: false)) }
        }
        for route in routes {
            guard let name = route.index.flatMap({ names[$0] }) else { continue }
            places.append(.init(route.destination, at: name, isOwn: false))
        }
        return HostPlaces(places)
    }

    /// Names of interfaces; Hawser's own are left out, and so is what is gone by now.
    private mutating func names(of indices: Set<InterfaceIndex>) throws(TransportError) -> [InterfaceIndex: String] {
        var batch = Batch()
        for index in indices { _ = batch.addFind(index) }
        var names: [InterfaceIndex: String] = [:]
        try socket.ask(&batch, absences: Gone.links) { _, header, message in
            guard let link = FoundLink(header, message), !link.isOurs else { return }
            names[link.index] = link.name
        }
        return names
    }
}

/// An address of an interface, and the prefix that comes with it, as the kernel reports both (`RTM_NEWADDR`).
struct FoundPlaces: Hashable {
    var index: InterfaceIndex
    var own: IPAddress
    /// Addresses that are on the link because of it; nil where it says nothing of others.
    var link: Prefix?

    /// Nil for Hawser's own.
    init?(_ header: MessageHeader, _ message: RawSpan) {
        guard header.type == .newAddress || header.type == .deleteAddress,
            let info = message.structure(at: MessageHeader.size, as: ifaddrmsg.self), Family(number: Int32(info.ifa_family)) != nil
        else { return nil }
        index = InterfaceIndex(Int32(bitPattern: info.ifa_index))
        var (local, other): (IPAddress?, IPAddress?)
        var maker: UInt8 = 0
        var flags = UInt32(info.ifa_flags)
        message.attributes(after: ifaddrmsg.self) { number, payload in
            switch Int(number) {
            case IFA_LOCAL: local = IPAddress(bytes: payload.array)
            // Of a link with two ends the other's; otherwise the same.
            case IFA_ADDRESS: other = IPAddress(bytes: payload.array)
            case IFA_FLAGS: flags = payload.number()
            case IFA_PROTO: maker = payload.number()
            default: break
            }
        }
        guard maker != Marks.routeProtocol, let address = local ?? other else { return nil }
        own = address
        guard flags & UInt32(IFA_F_NOPREFIXROUTE) == 0, let prefix = Prefix(other ?? address, length: Int(info.ifa_prefixlen)),
            prefix != Prefix(address)
        else { return }
        link = prefix
    }
}

extension FoundRoute {
    /// Whether what it leads to is on a link, with no router in between. Of several links at once the kernel tells in another form.
    fileprivate var isOnLink: Bool {
        kind == .way && gateway == nil && index != nil && maker != Marks.routeProtocol && table == RouteTable.main.number
    }
}
