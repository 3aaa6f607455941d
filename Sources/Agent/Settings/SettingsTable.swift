import HostNetwork
import Logging

extension Setting {
    /// Every setting there is, in the order of the file.
    package static let all: [Setting] = host + push + sockets + rest

    private static let host: [Setting] = [
        .text("host.name", \.host.name, "the host's name, as the controller knows it"),
        .text("host.address", \.host.address, "the host's address, as the controller knows it", valid: "an IP address, or empty") {
            $0.isEmpty || (try? IPAddress(parsing: $0)) != nil
        },
        .word("host.toPods", \.host.toPods, "what the host may send to pods: everything, or what their rules allow"),
        .word("host.fromPods", \.host.fromPods, "what pods may send to the host: replies, what their rules allow, or everything"),
        .word("host.forwarding", \.host.forwarding, "turn IP forwarding on, or only check it"),
        .text(
            "host.namespaces", \.host.namespaces, "where the namespaces of isolated networks are named", valid: absolute,
            where: SettingText.isAbsolute),
        .yesNo(
            "host.protectTables", \.host.protectTables, "make the nftables tables the daemon's own, so that nobody else can change them"),
    ]

    private static let push: [Setting] = [
        .text(
            "push.listen", \.push.listen, "where the controller pushes to, once there are certificates; empty: nowhere",
            valid: "an IP address and a port, or empty: 0.0.0.0:50001 or [::]:50001"
        ) { $0.isEmpty || SettingText.isIPAddressAndPort($0) },
        .yesNo("push.plaintext", \.push.plaintext, "accept pushes without TLS, from whoever reaches the port"),
        .text("push.certificate", \.push.certificate, "this host's certificate (PEM)", valid: path, where: isPath),
        .text("push.key", \.push.key, "its private key (PEM)", valid: path, where: isPath),
        .text("push.clientCA", \.push.clientCA, "who signs the clients' certificates (PEM)", valid: path, where: isPath),
        .list(
            "push.clients", \.push.clients, "the clients that may connect, and what each may do; empty: any, everything",
            valid: "a list of " + PushClients.valid
        ) { PushClients($0) != nil },
        .value(
            "push.maxMessage", \.push.maxMessage, "the biggest message", valid: "bytes, or a number with KiB, MiB or GiB: 64MiB",
            text: SettingText.size, parse: SettingText.size),
        .count("push.maxResources", \.push.maxResources, "the most resources of one push, and of a snapshot"),
        .count("push.maxStreams", \.push.maxStreams, "the most calls at a time of one connection"),
        .count("push.maxConnections", \.push.maxConnections, "the most connections at a time"),
        .value(
            "push.keepalive", \.push.keepalive, "how long a client is silent before it is asked whether it is still there",
            valid: "a whole number with s or ms: 60s", text: SettingText.duration, parse: SettingText.duration),
    ]

    private static let sockets: [Setting] = [
        .text("control.socket", \.control.socket, "the socket of the command line and CNI", valid: absolute, where: SettingText.isAbsolute),
        .text("control.group", \.control.group, "who may use it besides root", valid: "the name of a group, or empty for root alone"),
        .text("debug.socket", \.debug.socket, "the socket for reading", valid: absolute, where: SettingText.isAbsolute),
        .text("debug.group", \.debug.group, "who may use it besides root", valid: "the name of a group, or empty for root alone"),
        .text(
            "metrics.listen", \.metrics.listen, "where metrics are read; empty: nowhere", valid: addressAndPort + ", or empty",
            isForLater: true
        ) { $0.isEmpty || isAddressAndPort($0) },
    ]

    private static let rest: [Setting] = [
        .text("state.directory", \.state.directory, "where the accepted intents are kept", valid: absolute, where: SettingText.isAbsolute),
        .text("intents.directory", \.intents.directory, "the folder of intents; empty: none", valid: path, where: isPath),
        .count("intents.maxValues", \.intents.maxValues, "the most values of all resources together"),
        .value(
            "conntrack.mark", \.conntrack.mark, "the bits of the connection-tracking mark that Hawser owns",
            valid: "an even number of contiguous bits, 6 to 32, such as 0xffff0000", text: SettingText.mask, parse: SettingText.mask),
        .word(
            "conntrack.invalid", \.conntrack.invalid,
            "packets that connection tracking calls invalid: judged by the rules like any other, or dropped"),
        .value(
            "conntrack.podFlows", \.conntrack.podFlows, "the most tracked flows that a pod may have opened; 0: no limit",
            valid: "a whole number from 0 to 1000000", text: { "\($0)" }
        ) { UInt32($0).flatMap { $0 <= 1_000_000 ? $0 : nil } },
        .value(
            "conntrack.podFragments", \.conntrack.podFragments, "the most fragments a second that a pod may send; 0: no limit",
            valid: "a whole number from 0 to 1000000", text: { "\($0)" }
        ) { UInt32($0).flatMap { $0 <= 1_000_000 ? $0 : nil } },
        .value(
            "drops.logRate", \.drops.logRate, "how many denied packets are logged", valid: "a number by second, minute or hour: 100/second",
            isForLater: true, text: \.description, parse: SettingText.rate),
        .word("alcor.unsetProtocol", \.alcor.unsetProtocol, "what a rule of Alcor without protocol and ports means"),
        .text(
            "alcor.manager", \.alcor.manager, "Alcor's network configuration manager; empty: none", valid: addressAndPort + ", or empty"
        ) { $0.isEmpty || isAddressAndPort($0) },
        .yesNo("alcor.isolated", \.alcor.isolated, "every VPC of Alcor is an isolated network"),
        .word("log.level", \.log.level, "the least level that is logged"),
        .word("log.format", \.log.format, "how a line of the log looks"),
    ]

    private static let addressAndPort = "an address and a port: 0.0.0.0:50001 or [::]:50001"
    private static let absolute = "an absolute path"
    private static let path = "an absolute path, or empty"

    @Sendable private static func isAddressAndPort(_ text: String) -> Bool { SettingText.isAddressAndPort(text) }
    @Sendable private static func isPath(_ text: String) -> Bool { text.isEmpty || SettingText.isAbsolute(text) }
}
