import Glibc
import HostNetwork
import Netlink
import Synchronization

/// Reads what many chains and sets hold, several at a time: to find one of them the kernel goes through the list of all
/// (`nf_tables_dump_set`, net/netfilter/nf_tables_api.c), on the processor of who asks.
struct ContentReaders {
    /// Of fewer than this one reader is done before others have begun.
    static let few = 256
    private static let most = 4

    private typealias Found = [(index: Int, contents: HolderContents)]

    private let count: Int
    private let readers: [Beside<Result<Found, TransportError>>]

    /// Begins to read in the network namespace of a socket.
    init(_ holders: [Holder], beside socket: borrowing NetlinkSocket) {
        count = holders.count
        let next = Next()
        let number = max(1, min(Self.most, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        readers = Self.sockets(number, beside: socket).map { socket in
            Beside { Result { () throws(TransportError) in try Self.read(holders, next, socket) } }
        }
    }

    /// By the position of their holder, when all is read; nil for what no reader came to.
    consuming func take() throws(TransportError) -> [HolderContents?] {
        var contents = [HolderContents?](repeating: nil, count: count)
        // All of them: who fails leaves the rest to the others, and nobody reads on after this.
        let results = readers.map { $0.take() }
        for result in results {
            for (index, found) in try result.get() { contents[index] = found }
        }
        return contents
    }

    private static func read(_ holders: [Holder], _ next: Next, _ socket: Socket) throws(TransportError) -> Found {
        var found: Found = []
        while let index = next.take(below: holders.count) { found.append((index, try socket.contents(of: holders[index]))) }
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

        func contents(of holder: Holder) throws(TransportError) -> HolderContents {
            try socket.withLock { (socket) throws(TransportError) in try socket.contents(of: holder) }
        }
    }

    /// The holder that is nobody's yet.
    private final class Next: Sendable {
        private let index = Atomic(0)

        func take(below count: Int) -> Int? {
            let taken = index.wrappingAdd(1, ordering: .relaxed).oldValue
            return taken < count ? taken : nil
        }
    }
}

/// A chain or a set of Hawser's tables.
enum Holder: Sendable {
    case chain(Named)
    case set(NamedSet)
}

/// What the kernel lists of one.
enum HolderContents: Sendable {
    /// In order.
    case rules([Firewall.ListedRule])
    /// Each with its comment.
    case elements([(Element, String?)])
}

extension NetlinkSocket {
    /// Nothing where there is no such chain or set.
    mutating func contents(of holder: Holder) throws(TransportError) -> HolderContents {
        switch holder {
        case .chain(let chain): .rules(try rules(in: chain))
        case .set(let set): .elements(ListedElement.elements(of: set, try elements(of: set.id)))
        }
    }
}
