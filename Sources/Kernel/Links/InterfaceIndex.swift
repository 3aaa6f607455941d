/// An interface's number in its namespace; it is used again when the interface is gone.
struct InterfaceIndex: Hashable, Sendable {
    let value: Int32

    init(_ value: Int32) { self.value = value }

    /// Every namespace's loopback interface (`LOOPBACK_IFINDEX`, net/core/dev.c).
    static let loopback = InterfaceIndex(1)
}
