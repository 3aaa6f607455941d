package import HostNetwork
package import Netlink
import SystemPackage

/// The pods' interfaces of one routing domain, as the kernel has them.
///
/// It remembers nothing of the kernel's but where the pod sides are, which only their makers know. What a step needs to know of a link is
/// asked for when it is needed, together with the link's mark, so that an interface that somebody put in the place of ours is never
/// touched.
package struct LinkTable: ~Copyable {
    /// Where a pod side is.
    package struct Place: Hashable, Sendable {
        /// A path.
        package var namespace: String
        package var interface: String
        /// What there may be of Hawser's at the interface besides its default routes. Nothing else is its, whatever mark it bears.
        package var addresses: Set<IPAddress>
        package var neighbors: Set<IPAddress>

        package init(namespace: String, interface: String, addresses: Set<IPAddress> = [], neighbors: Set<IPAddress> = []) {
            self.namespace = namespace
            self.interface = interface
            self.addresses = addresses
            self.neighbors = neighbors
        }
    }

    /// Bytes that the kernel may hold for us in each direction: some thousand messages and their answers.
    static let space = 8 << 20

    var socket: NetlinkSocket
    /// Where tunnels are made, if not in the pods' own routing domain.
    var outside: Outside?
    var places: [LinkName: Place] = [:]
    package var ground = Ground()
    /// Pods at whose interfaces the last look could see nothing.
    package internal(set) var untold: [LinkName: Untold] = [:]
    /// Links of pods that somebody waits for.
    package var awaited: Set<LinkName> = []
    /// Destinations to which somebody's route took the place of ours: ours takes it back.
    var usurped: Set<Prefix> = []
    /// Listens at the pod sides, if anybody does.
    var sides: PodSides?
    /// Called with what is sent; see `LinuxDataplane.onSend`.
    var onSend: LinuxDataplane.Listener? {
        didSet { socket.onSend = LinuxDataplane.tap(onSend, .host) }
    }

    /// For the namespace that the calling thread is in.
    package init() throws(TransportError) {
        socket = try NetlinkSocket(.route, space: Self.space)
        outside = nil
    }

    /// For the namespace that the calling thread is in, whose tunnels' packets go out in another one, the underlay's.
    package init(over underlay: borrowing NetworkNamespace) throws(OpenFailure) {
        outside = try Outside.seen(from: underlay)
        do throws(TransportError) { socket = try NetlinkSocket(.route, space: Self.space) } catch { throw .transport(error) }
    }

    /// For a routing domain that is a namespace of its own.
    package init(in namespace: borrowing NetworkNamespace) throws(OpenFailure) {
        socket = try NetlinkSocket(.route, in: namespace, space: Self.space)
        outside = nil
    }

    /// The socket's address, which is in every event that this table itself leads to; see `KernelEvents`.
    package var port: UInt32 { socket.port }
}
