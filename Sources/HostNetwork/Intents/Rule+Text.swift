extension Rule {
    /// As a person reads it: "ingress tcp 80-81 from 0.0.0.0/0".
    package var text: String {
        var words = [direction.rawValue]
        if let family, `protocol`?.onlyFamily != family, !remoteTellsFamily { words.append(family == .v4 ? "ipv4" : "ipv6") }
        words.append(`protocol`?.description ?? "any protocol")
        if let ports { words.append("\(ports)") }
        if let sourcePorts { words.append("source port \(sourcePorts)") }
        if let icmp { words.append("type \(icmp.type)" + (icmp.code.map { " code \($0)" } ?? "")) }
        words.append(direction == .ingress ? "from" : "to")
        switch remote {
        case .anyone: words.append("anyone")
        case .cidr(let cidr): words.append(cidr.isHost ? "\(cidr.first)" : "\(cidr)")
        case .group(let id): words.append("group \(id)")
        case .addressGroup(let id): words.append("address group \(id)")
        }
        return words.joined(separator: " ")
    }

    private var remoteTellsFamily: Bool { if case .cidr = remote { true } else { false } }
}
