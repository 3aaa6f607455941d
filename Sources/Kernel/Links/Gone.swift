import SystemPackage

/// What the kernel says when a thing that is to be taken away, or is asked for, isn't there.
enum Gone {
    static let links: Set<Errno> = [.noSuchDevice]
    static let addresses: Set<Errno> = [.addressNotAvailable, .noSuchDevice]
    static let routes: Set<Errno> = [.noSuchProcess, .noSuchDevice]
    static let neighbors: Set<Errno> = [.noSuchFileOrDirectory, .noSuchDevice]

    static let tableRules: Set<Errno> = [.noSuchFileOrDirectory]
    /// To an address: none, or a route that says so (`fib_props`, net/ipv4/fib_semantics.c).
    static let ways: Set<Errno> = [.networkUnreachable, .noRouteToHost, .permissionDenied, .invalidArgument]

    static func contains(_ errno: Errno, for object: LinkObject) -> Bool {
        switch object {
        case .link, .tunnel: links.contains(errno)
        case .address: addresses.contains(errno)
        case .route: routes.contains(errno)
        case .neighbor, .forwarding: neighbors.contains(errno)
        case .tableRule: tableRules.contains(errno)
        }
    }
}

extension Errno {
    /// ENODEV, as the kernel means it of network devices.
    static let noSuchDevice = Errno.operationNotSupportedByDevice
}
