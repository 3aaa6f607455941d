import CLibMNL
package import HostNetwork
import Netlink
import Synchronization
import SystemPackage

/// What happened to Hawser's interfaces of one routing domain.
package enum LinkEvent: Hashable, Sendable {
    /// What a link itself is like.
    package struct HostSide: Hashable, Sendable {
        package var isUp: Bool
        /// Bytes.
        package var mtu: Int
        package var mac: MAC

        package init(isUp: Bool, mtu: Int, mac: MAC) {
            self.isUp = isUp
            self.mtu = mtu
            self.mac = mac
        }
    }

    /// The pair is gone, as when its pod's namespace ended, or has lost its mark.
    case gone(LinkName)
    /// The host side became like this. The kernel doesn't say who did it: it is news only to one who believes otherwise.
    case became(LinkName, HostSide)
    /// Something of Hawser's on the host side was changed or taken away; now and then it is told of what Hawser itself did.
    case changed(LinkName)
    /// More happened than could be told: everything is to be looked at again.
    case missed
}

/// Listens to what the kernel tells of links, addresses, routes and neighbors (rtnetlink(7)), on a thread of its own.
///
/// Pod sides aren't listened to: their namespaces are the pods'.
package enum LinkEvents {
    private static let groups = [
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_NEIGH,
    ].map(\.rawValue)

    /// What happens from now on; the thread ends when nobody listens any more.
    ///
    /// - Parameters:
    ///   - namespace: the routing domain's.
    ///   - ports: of the sockets whose doings aren't told; see `LinkTable.port`.
    package static func stream(
        in namespace: borrowing NetworkNamespace, except ports: Set<UInt32> = []
    ) throws(OpenFailure) -> AsyncStream<LinkEvent> {
        var socket = try NetlinkSocket(.route, in: namespace, groups: groups, space: LinkTable.space)
        let (stream, continuation) = AsyncStream.makeStream(of: LinkEvent.self)
        do throws(TransportError) {
            var reader = LinkEventReader(except: ports)
            try reader.start(through: &socket)
            let waker = try Waker()
            // The thread holds the lock for as long as it lives: there is nobody else.
            let listening = Listening(socket, reader)
            continuation.onTermination = { _ in waker.wake() }
            do throws(Errno) {
                try ListeningThread.start { listening.run(until: waker, continuation) }
            } catch {
                throw .system(error, doing: "starting a thread")
            }
        } catch {
            throw .transport(error)
        }
        return stream
    }
}

/// A socket and its reader, handed over to a thread.
private final class Listening: Sendable {
    private struct State: ~Copyable {
        var socket: NetlinkSocket
        var reader: LinkEventReader
    }

    private let state: Mutex<State>

    init(_ socket: consuming sending NetlinkSocket, _ reader: LinkEventReader) {
        state = Mutex(State(socket: socket, reader: reader))
    }

    func run(until waker: Waker, _ continuation: AsyncStream<LinkEvent>.Continuation) {
        state.withLock { state in
            var isOver = false
            while !isOver {
                var events: [LinkEvent] = []
                do throws(TransportError) {
                    let wait = try state.socket.next(orUntil: waker.readable) { header, message in
                        if let event = state.reader.event(header, message), !events.contains(event) { events.append(event) }
                    }
                    isOver = wait == .woken
                } catch .answersLost {
                    events = [.missed]
                    do throws(TransportError) { try state.reader.start(through: &state.socket) } catch { isOver = true }
                } catch {
                    events = [.missed]
                    isOver = true
                }
                for event in events { continuation.yield(event) }
            }
        }
        continuation.finish()
    }
}
