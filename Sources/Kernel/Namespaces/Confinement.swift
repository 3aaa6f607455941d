import CLinux
import Netlink
package import SystemPackage

/// What the daemon takes away from itself, whoever started it: CAP_SYS_ADMIN, which it needs to enter namespaces,
/// would let it do far more.
///
/// A sandbox is made of mounts, and whoever may mount or unmount opens it. What has to be mounted, names of
/// namespaces, is mounted by a helper that is there before (`NamespaceNames`).
package enum Confinement {
    /// From now on, and for good: nothing is mounted or unmounted, no other namespace than the network's, no program
    /// is started, nothing of the kernel or of other processes is changed. Throws where the kernel has no such filters.
    package static func begin() throws(Errno) {
        guard hawser_confine() == 0 else { throw .current }
    }
}
