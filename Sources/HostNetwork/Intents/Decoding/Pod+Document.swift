extension Pod {
    init(_ field: Field) throws(Rejected) {
        let fields = try field.fields(
            known: [
                "id", "network", "namespace", "interface", "mac", "addresses", "securityGroups", "allowedAddressPairs", "portSecurity",
                "adminUp", "mtu", "revision",
            ])
        let addresses = try fields.required("addresses", valid: "one address at least").addresses()
        self.init(
            id: try fields.required("id", valid: IDText.valid).id(),
            network: try fields.required("network", valid: "the id of a network").id(),
            namespace: try fields["namespace"]?.namespacePath(),
            interface: try fields["interface"]?.interfaceName() ?? "eth0",
            mac: try fields["mac"]?.mac(),
            addresses: addresses,
            securityGroups: try fields["securityGroups"]?.eachOnce { field throws(Rejected) in try field.id() } ?? [],
            allowedAddressPairs: try fields["allowedAddressPairs"]?.eachOnce(AddressPair.init) ?? [],
            portSecurity: try fields["portSecurity"]?.bool() ?? true,
            adminUp: try fields["adminUp"]?.bool() ?? true,
            mtu: try fields["mtu"]?.mtu(for: addresses),
            revision: try fields["revision"]?.revision() ?? 0)
    }

    var document: Document {
        .fields(
            ("id", .text(id)), ("network", .text(network)), ("namespace", namespace.map { .string($0) }), ("interface", .string(interface)),
            ("mac", .text(mac)), ("addresses", .texts(addresses)), ("securityGroups", .texts(securityGroups)),
            ("allowedAddressPairs", .list(allowedAddressPairs.map(\.document))), ("portSecurity", .bool(portSecurity)),
            ("adminUp", .bool(adminUp)), ("mtu", mtu.map { .int($0) }), ("revision", .revision(revision)))
    }
}

extension AddressPair {
    init(_ field: Field) throws(Rejected) {
        let fields = try field.fields(known: ["address", "mac"])
        self.init(
            address: try fields.required("address", valid: "an address or a prefix").prefix(), mac: try fields["mac"]?.mac())
    }

    var document: Document { .fields(("address", .text(address)), ("mac", mac.map { .text($0) })) }
}

extension Field {
    /// Addresses of a pod or a neighbor: one at least, each once.
    func addresses() throws(Rejected) -> [IPAddress] {
        let addresses = try eachOnce { field throws(Rejected) in try field.address() }
        guard !addresses.isEmpty else { throw rejected("empty", valid: "one address at least") }
        return addresses
    }

    fileprivate func namespacePath() throws(Rejected) -> String {
        let valid = "the absolute path of a network namespace, such as /run/netns/web-0"
        let path = try text(valid: valid)
        // PATH_MAX, linux/limits.h, with its final zero.
        guard path.hasPrefix("/"), !path.hasSuffix("/"), path.utf8.count < 4096, !path.utf8.contains(0) else {
            throw rejected("not an absolute path of a file", valid: valid)
        }
        return path
    }

    /// Reads a name that the kernel takes (`dev_valid_name`, net/core/dev.c) and gives to an interface as it is.
    ///
    /// - `%` makes the kernel choose a number (`__dev_alloc_name`).
    /// - "all" and "default" are folders of settings beside those of interfaces (`sysctl_dev_name_is_allowed`, include/net/ip.h).
    /// - "bonding_masters" is a file of sysfs beside the interfaces (`bond_create_sysfs`, drivers/net/bonding/bond_sysfs.c).
    /// - "lo" is the loopback interface.
    fileprivate func interfaceName() throws(Rejected) -> String {
        let taken = [".", "..", "lo", "all", "default", "bonding_masters"]
        let valid = "1 to 15 bytes without spaces, '/', ':' and '%', other than " + taken.joined(separator: ", ")
        let name = try text(valid: valid)
        let forbidden: Set<UInt8> = [UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "%"), 0x20, 0xa0]
        guard (1...15).contains(name.utf8.count), !taken.contains(name),
            !name.utf8.contains(where: { forbidden.contains($0) || $0 < 0x20 || $0 == 0x7f })
        else { throw rejected("not a name for an interface of a pod", valid: valid) }
        return name
    }

    /// In bytes; 68 at least (RFC 791, section 3.2), 1280 with IPv6 (RFC 8200, section 5).
    fileprivate func mtu(for addresses: [IPAddress]) throws(Rejected) -> Int {
        let hasIPv6 = addresses.contains { $0.family == .v6 }
        let mtu = try integer(in: 68...65535)
        guard mtu >= 1280 || !hasIPv6 else { throw rejected("too small for an IPv6 address", valid: "1280 to 65535") }
        return mtu
    }
}
