import CLinux
import Foundation
import Synchronization
import SystemPackage

/// A private set of network namespaces, which is gone with the last reference to it, however a test ends.
///
/// It wants a process whose mount and network namespaces are its own, as `make test` gives it: nothing outside is ever touched, and what a
/// killed process leaves behind goes with them.
package final class Lab: Sendable {
    /// Where namespaces appear as files, as `ip netns` has them.
    package static let directory = "/run/netns"

    private static let count = Mutex(0)
    private let number: Int
    private let namespaces = Mutex<[LabNamespace]>([])

    package init() throws {
        try Self.refuseTheHost()
        number = Self.count.withLock { count in
            count += 1
            return count
        }
    }

    deinit { remove() }

    /// Makes an empty namespace, with its loopback interface up. Its name on disk is particular to this lab.
    package func namespace(_ name: String) throws -> LabNamespace {
        let namespace = try namespace(named: "lab\(getpid())-\(number)-\(name)")
        try namespace.run("ip", "link", "set", "lo", "up")
        return namespace
    }

    /// The same, with just this name on disk: for labs of which there is one in a process.
    package func namespace(named name: String) throws -> LabNamespace {
        let namespace = try LabNamespace(making: name)
        namespaces.withLock { $0.append(namespace) }
        return namespace
    }

    /// Takes a namespace away, its name and the lab's own hold on it. It ends at once where no process or socket is in it.
    package func kill(_ namespace: LabNamespace) {
        namespace.remove()
        namespaces.withLock { $0.removeAll { $0 === namespace } }
    }

    /// A namespace that somebody else made and named by a file.
    package func namespace(at path: String) throws -> LabNamespace { try LabNamespace(at: path) }

    /// Takes the namespaces away before the lab goes; for a process that ends at once.
    package func remove() {
        for namespace in namespaces.withLock({ $0 }) { namespace.remove() }
    }

    /// The real host is no lab. Where its own namespace can't be read, this process can't change it either.
    private static func refuseTheHost() throws {
        let host = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/1/ns/net")
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self/ns/net")
        guard host != own else {
            throw LabError("the lab doesn't run in the host's own network namespace; `make test` gives it another (unshare --net --mount)")
        }
        guard FileManager.default.isWritableFile(atPath: directory) else {
            throw LabError("\(directory) can't be written to; `make test` puts a file system of its own there")
        }
    }
}

package struct LabError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    /// A call that has just failed.
    static func current(_ doing: String) -> LabError { LabError("\(doing): \(Errno(rawValue: hawser_errno()))") }
}
