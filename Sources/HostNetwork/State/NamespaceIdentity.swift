/// What tells one network namespace from another for as long as both exist, by whatever paths (device and
/// inode of nsfs, namespaces(7)).
package struct NamespaceIdentity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64

    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}
