import Lab

extension LabNamespace {
    /// Gives a host an interface with this address, which leads to nobody.
    func addUnderlay(_ address: String) throws {
        try run("ip", "link", "add", "underlay", "type", "veth", "peer", "name", "far")
        try run("ip", "addr", "add", "\(address)/24", "dev", "underlay")
        for name in ["lo", "underlay", "far"] { try run("ip", "link", "set", name, "up") }
    }
}
