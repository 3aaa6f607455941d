/// An interface's number in its namespace; it is used again when the interface is gone.
struct InterfaceIndex: Hashable, Sendable {
    let value: Int32

    init(_ value: Int32) { self.value = value }

    /// No interface by name: that which leads to a route's gateway.
    static let ofGateway = InterfaceIndex(0)
    /// Every namespace's loopback interface (`LOOPBACK_IFINDEX`, net/core/dev.c).
    static let loopback = InterfaceIndex(1)
}
