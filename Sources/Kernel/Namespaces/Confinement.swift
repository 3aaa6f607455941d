import CLinux
import Netlink
package import SystemPackage

/// What the daemon takes away from itself, whoever started it: CAP_SYS_ADMIN, which it needs to enter namespaces, would let it do far more.
///
/// A service manager's filter can't look at a call's flags where this one does: naming a namespace wants a bind mount, and with the same call
/// a read-only file system is made writable again.
package enum Confinement {
    /// From now on, and for good: no other mount than a bind mount, no other namespace than the network's, no program is started, nothing of
    /// the kernel or of other processes is changed. Throws where the kernel has no such filters.
    package static func begin() throws(Errno) {
        guard hawser_confine() == 0 else { throw .current }
    }
}
