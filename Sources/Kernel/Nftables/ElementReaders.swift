import Glibc
import HostNetwork
import Netlink
import Synchronization

/// Reads the elements of many sets, several at a time: to find one of them the kernel goes through the list of all sets
/// (`nf_tables_dump_set`, net/netfilter/nf_tables_api.c), on the processor of who asks.
struct ElementReaders {
    /// Of fewer sets than this one reader is done before others have begun.
    static let few = 256
    private static let most = 4

    private typealias Found = [(index: Int, elements: [(Element, String?)])]

    private let count: Int
    private let readers: [Beside<Result<Found, TransportError>>]

    /// Begins to read in the network namespace of a socket.
    init(_ sets: [NamedSet], beside socket: borrowing NetlinkSocket) {
        count = sets.count
        let next = Next()
        let number = max(1, min(Self.most, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        readers = Self.sockets(number, beside: socket).map { socket in
            Beside { Result { () throws(TransportError) in try Self.read(sets, next, socket) } }
        }
    }

    /// By the position of their set, when all is read; nil for what no reader came to.
    consuming func take() throws(TransportError) -> [[(Element, String?)]?] {
        var elements = [[(Element, String?)]?](repeating: nil, count: count)
        // All of them: who fails leaves the rest to the others, and nobody reads on after this.
        let results = readers.map { $0.take() }
        for result in results {
            for (index, found) in try result.get() { elements[index] = found }
        }
        return elements
    }

    private static func read(_ sets: [NamedSet], _ next: Next, _ socket: Socket) throws(TransportError) -> Found {
        var found: Found = []
        while let index = next.take(below: sets.count) {
            found.append((index, ListedElement.elements(of: sets[index], try socket.elements(of: sets[index].id))))
        }
        return found
    }

    /// As many as there can be: without any, whoever asked reads all by himself.
    private static func sockets(_ number: Int, beside socket: borrowing NetlinkSocket) -> [Socket] {
        guard let namespace = try? NetworkNamespace(of: socket) else { return [] }
        return (0..<number).compactMap { _ in try? Socket(in: namespace) }
    }

    private final class Socket: Sendable {
        private let socket: Mutex<NetlinkSocket>

        init(in namespace: borrowing NetworkNamespace) throws(OpenFailure) {
            socket = Mutex(try NetlinkSocket(.netfilter, in: namespace))
        }

        func elements(of set: Named) throws(TransportError) -> [ListedElement] {
            try socket.withLock { (socket) throws(TransportError) in try socket.elements(of: set) }
        }
    }

    /// The set that is nobody's yet.
    private final class Next: Sendable {
        private let index = Atomic(0)

        func take(below count: Int) -> Int? {
            let taken = index.wrappingAdd(1, ordering: .relaxed).oldValue
            return taken < count ? taken : nil
        }
    }
}
