import CLinux
import Netlink
package import SystemPackage

/// Open namespaces in the keeping of the service manager (sd_notify(3), `FDSTORE=1`; sd_listen_fds(3)).
///
/// Under systemd the daemon has a mount namespace of its own: the files by which it names namespaces end with it, and so would the
/// namespaces. What the service manager holds open outlives the daemon, and comes back to the next one under its name.
package struct DescriptorStore: Sendable {
    private let socket: String
    /// What an earlier daemon left, by name.
    package let left: [String: Int32]

    /// Nil where there is no service manager.
    package init?(environment: [String: String], process: Int32) {
        guard let socket = environment["NOTIFY_SOCKET"], !socket.isEmpty else { return nil }
        self.socket = socket
        var left: [String: Int32] = [:]
        if environment["LISTEN_PID"].flatMap(Int32.init) == process, let count = environment["LISTEN_FDS"].flatMap(Int32.init) {
            let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
            // From 3 on (SD_LISTEN_FDS_START, systemd/sd-daemon.h).
            for (number, name) in zip(Int32(3)..., names.prefix(Int(max(count, 0)))) { left[String(name)] = number }
        }
        self.left = left
    }

    package func keep(_ namespace: borrowing NetworkNamespace, as name: String) throws(Errno) {
        try say("FDSTORE=1\nFDNAME=\(name)", namespace.descriptor.rawValue)
    }

    package func forget(_ name: String) throws(Errno) { try say("FDSTOREREMOVE=1\nFDNAME=\(name)", -1) }

    private func say(_ text: String, _ descriptor: Int32) throws(Errno) {
        guard unsafe hawser_notify(socket, text, descriptor) == 0 else { throw .current }
    }
}
