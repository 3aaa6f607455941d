import CLibMNL
package import HostNetwork
import Netlink
import Synchronization
import SystemPackage

/// What happened to what is Hawser's in one routing domain, and who did it, as far as the kernel tells.
package enum KernelEvent: Hashable, Sendable {
    case link(LinkEvent, by: Culprit?)
    /// Somebody else's transaction touched Hawser's tables.
    case ruleset(Suspects, by: Culprit?)
    /// Something of a pair's other end isn't as it was, in the pod's namespace.
    case pod(LinkName, by: Culprit?)
    /// More happened than could be told: everything is to be looked at again.
    case missed
}

/// Listens to what the kernel tells of links, addresses, routes and neighbors (rtnetlink(7)), and of nftables, on a thread of its own.
package enum KernelEvents {
    /// The addresses of the sockets whose doings aren't told.
    package struct Ports: Hashable, Sendable {
        package var links: Set<UInt32>
        package var firewall: UInt32

        package init(links: Set<UInt32> = [], firewall: UInt32 = 0) {
            self.links = links
            self.firewall = firewall
        }
    }

    private static let groups = [
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_NEIGH,
        RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
    ].map(\.rawValue)

    /// What happens from now on; the thread ends when nobody listens any more.
    ///
    /// - Parameters:
    ///   - namespace: the routing domain's.
    ///   - pods: the pod sides, if they are listened to.
    package static func stream(
        in namespace: borrowing NetworkNamespace, except ports: Ports = Ports(), pods: PodSides? = nil
    ) throws(OpenFailure) -> AsyncStream<KernelEvent> {
        var links = try NetlinkSocket(.route, in: namespace, groups: groups, space: LinkTable.space)
        // A transaction of 50,000 objects is told in some 5 MB.
        let firewall = try NetlinkSocket(.netfilter, in: namespace, groups: [UInt32(NFNLGRP_NFTABLES.rawValue)], space: 16 << 20)
        let (stream, continuation) = AsyncStream.makeStream(of: KernelEvent.self)
        let identity = try? namespace.identity
        do throws(TransportError) {
            var reader = LinkEventReader(except: ports.links)
            try reader.start(through: &links)
            let waker = try Waker()
            // The thread holds the lock for as long as it lives: there is nobody else.
            let listening = Listening(links, reader, firewall, RulesetEventReader(except: ports.firewall), pods, identity)
            continuation.onTermination = { _ in waker.wake() }
            do throws(Errno) {
                try WaitingThread.start { listening.run(until: waker, continuation) }
            } catch {
                throw .system(error, doing: "starting a thread")
            }
        } catch {
            throw .transport(error)
        }
        return stream
    }
}

/// Sockets and their readers, handed over to a thread.
private final class Listening: Sendable {
    private struct State: ~Copyable {
        var links: NetlinkSocket
        var linkReader: LinkEventReader
        var firewall: NetlinkSocket
        var rulesetReader: RulesetEventReader
        let namespace: NetworkNamespace.Identity?

        /// Takes what has come from both. More than the sockets could hold: what was touched isn't known.
        mutating func take() throws(TransportError) -> [KernelEvent] {
            var events: [KernelEvent] = []
            var told: Set<KernelEvent> = []
            do throws(TransportError) {
                _ = try links.drain { header, message in
                    guard let event = linkReader.event(header, message) else { return }
                    // A flood of the same is one.
                    let news = KernelEvent.link(event, by: Culprit(port: header.port, in: namespace))
                    if told.insert(news).inserted { events.append(news) }
                }
                _ = try firewall.drain { header, message in
                    if let event = rulesetReader.event(header, message) { events.append(event) }
                }
            } catch .answersLost, .answerCut {
                try linkReader.start(through: &links)
                rulesetReader.start()
                return [.missed]
            }
            return events
        }
    }

    private let state: Mutex<State>
    private let pods: PodSides?

    init(
        _ links: consuming sending NetlinkSocket, _ linkReader: LinkEventReader, _ firewall: consuming sending NetlinkSocket,
        _ rulesetReader: RulesetEventReader, _ pods: PodSides?, _ namespace: NetworkNamespace.Identity?
    ) {
        self.pods = pods
        state = Mutex(
            State(links: links, linkReader: linkReader, firewall: firewall, rulesetReader: rulesetReader, namespace: namespace))
    }

    func run(until waker: Waker, _ continuation: AsyncStream<KernelEvent>.Continuation) {
        state.withLock { state in
            do throws(TransportError) {
                let sockets = [waker.readable, state.links.descriptor, state.firewall.descriptor] + (pods.map { [$0.descriptor] } ?? [])
                var nextSweep = ContinuousClock.now
                while true {
                    if try Readable.wait(for: sockets, milliseconds: pods == nil ? -1 : Self.sweepPeriod)[0] { break }
                    for event in try state.take() { continuation.yield(event) }
                    for (link, port, home) in pods?.take() ?? [] {
                        continuation.yield(.pod(link, by: Culprit(port: port, in: home)))
                    }
                    guard ContinuousClock.now >= nextSweep else { continue }
                    for link in pods?.sweep() ?? [] { continuation.yield(.pod(link, by: nil)) }
                    nextSweep = .now + .milliseconds(Self.sweepPeriod)
                }
            } catch {
                // Nothing is learned any more from here; that much is said.
                continuation.yield(.missed)
            }
        }
        continuation.finish()
    }

    /// How long a namespace may be kept alive that nobody else knows any more.
    private static let sweepPeriod: Int32 = 5000
}
