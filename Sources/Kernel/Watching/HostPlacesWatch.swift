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
        case .newRoute, .deleteRoute: FoundWay(header, message) != nil
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

    /// Makers of routes that count (`RTPROT_…`, linux/rtnetlink.h): the kernel, commands, administrators and network managers. Not
    /// routing daemons, whose tables may have a million routes and lead elsewhere. The kernel's local ones are the addresses again.
    private static let makers = [RTPROT_KERNEL, RTPROT_BOOT, RTPROT_STATIC, RTPROT_RA, RTPROT_DHCP].map { UInt8($0) }

    mutating func read() throws(TransportError) -> HostPlaces {
        let addresses = try socket.dump(.getAddress, { $0.put(raw: ifaddrmsg()) }, FoundPlaces.init)
        var ways: [FoundWay] = []
        for family in Family.allCases {
            for maker in Self.makers { ways += try self.ways(family, RT_TABLE_MAIN, by: maker) }
            for maker in Self.makers.dropFirst() { ways += try self.ways(family, RT_TABLE_LOCAL, by: maker) }
        }
        let names = try names(of: Set(addresses.map(\.index)).union(ways.map(\.index)))
        var places: [HostPlaces.Place] = []
        for found in addresses {
            guard let name = names[found.index] else { continue }
            places.append(.init(Prefix(found.own), at: name, isOwn: true))
            if let link = found.link { places.append(.init(link, at: name, isOwn: false)) }
        }
        for way in ways {
            guard let name = names[way.index] else { continue }
            places.append(.init(way.destination, at: name, isOwn: way.isOwn))
        }
        return HostPlaces(places)
    }

    /// What one maker says of one table; nothing in a namespace that has no such table yet.
    private mutating func ways(_ family: Family, _ table: rt_class_t, by maker: UInt8) throws(TransportError) -> [FoundWay] {
        do throws(TransportError) {
            return try socket.dump(
                .getRoute,
                { message in
                    // The kernel filters, where it can (`NETLINK_GET_STRICT_CHK`).
                    message.put(
                        raw: rtmsg(
                            rtm_family: UInt8(family.number), rtm_dst_len: 0, rtm_src_len: 0, rtm_tos: 0, rtm_table: UInt8(table.rawValue),
                            rtm_protocol: maker, rtm_scope: 0, rtm_type: 0, rtm_flags: 0))
                },
                { header, message in FoundWay(header, message).flatMap { $0.maker == maker ? $0 : nil } })
        } catch .refused(let error) where error.errno == .noSuchFileOrDirectory {
            return []
        }
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

    /// Nil for Hawser's own, and for what no subnet can overlap: every link that comes up gets a link-local address.
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
        guard maker != Marks.routeProtocol, let address = local ?? other, address.notAssignable == nil else { return nil }
        own = address
        guard flags & UInt32(IFA_F_NOPREFIXROUTE) == 0, let prefix = Prefix(other ?? address, length: Int(info.ifa_prefixlen)),
            prefix != Prefix(address)
        else { return }
        link = prefix
    }
}

/// A route to what is on a link, or to what is the host's own without being an address of an interface (`ip route add local`), as the
/// kernel reports it (`RTM_NEWROUTE`).
struct FoundWay: Hashable {
    var destination: Prefix
    var index: InterfaceIndex
    var isOwn: Bool
    /// `RTPROT_…`, linux/rtnetlink.h.
    var maker: UInt8

    /// Nil for a route through a router, of several links at once (which is told in another form), of another table, or Hawser's own; and for
    /// what no subnet can overlap.
    init?(_ header: MessageHeader, _ message: RawSpan) {
        guard header.type == .newRoute || header.type == .deleteRoute,
            let info = message.structure(at: MessageHeader.size, as: rtmsg.self),
            let family = Family(number: Int32(info.rtm_family)), info.rtm_protocol != Marks.routeProtocol
        else { return nil }
        maker = info.rtm_protocol
        var (address, link): (IPAddress?, InterfaceIndex?)
        var (table, hasRouter) = (UInt32(info.rtm_table), false)
        message.attributes(after: rtmsg.self) { number, payload in
            switch UInt32(number) {
            case RTA_DST.rawValue: address = IPAddress(bytes: payload.array)
            case RTA_OIF.rawValue: link = InterfaceIndex(payload.number())
            case RTA_GATEWAY.rawValue, RTA_VIA.rawValue: hasRouter = true
            case RTA_TABLE.rawValue: table = payload.number()
            default: break
            }
        }
        switch (Int(info.rtm_type), table) {
        case (RTN_UNICAST, RT_TABLE_MAIN.rawValue): isOwn = false
        case (RTN_LOCAL, RT_TABLE_LOCAL.rawValue) where maker != UInt8(RTPROT_KERNEL): isOwn = true
        default: return nil
        }
        guard !hasRouter, let address, let link, let prefix = Prefix(address, length: Int(info.rtm_dst_len)), prefix.family == family,
            prefix.first.notAssignable == nil
        else { return nil }
        destination = prefix
        index = link
    }
}
