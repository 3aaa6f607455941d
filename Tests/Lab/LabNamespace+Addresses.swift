extension LabNamespace {
    /// Gives an interface that is up an address, without duplicate address detection, and waits until the namespace takes what comes for it.
    ///
    /// The kernel acknowledges an address of IPv6 and leaves its route in the local table to a worker (`addrconf_dad_work`,
    /// net/ipv6/addrconf.c). Until that has run, on a busy machine some milliseconds later, it forwards or throws away such packets.
    ///
    /// - Parameter length: of its prefix; nil for the whole address.
    package func add(address: String, length: Int? = nil, to interface: String) throws {
        let isIPv6 = address.contains(":")
        let prefix = "\(address)/\(length ?? (isIPv6 ? 128 : 32))"
        try run(["ip", "addr", "add", prefix, "dev", interface] + (isIPv6 ? ["nodad"] : []))
        // Nobody waits that long: it ends a test on a machine on which nothing runs any more.
        let deadline = ContinuousClock.now + .seconds(60)
        while try run("ip", isIPv6 ? "-6" : "-4", "route", "show", "table", "local", "type", "local").split(separator: "\n")
            .allSatisfy({ !$0.contains(" \(address) ") })
        {
            guard ContinuousClock.now < deadline else { throw LabError("\(address) isn't a local address of \(interface) after a minute") }
        }
    }
}
