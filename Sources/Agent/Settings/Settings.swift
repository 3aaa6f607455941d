package import HostNetwork
package import Logging

/// Everything that can be set of the daemon; the initial values are the defaults (`Config/hawserd.yaml` lists them).
package struct Settings: Hashable, Sendable {
    package struct Host: Hashable, Sendable {
        /// Who turns the kernel's IP forwarding on.
        package enum Forwarding: String, CaseIterable, Sendable { case enable, check }

        /// The host's own name and address, as the controller knows it; empty: the kernel's.
        package var name = ""
        package var address = ""
        package var toPods = HostPolicy.ToPods.allow
        package var fromPods = HostPolicy.FromPods.replies
        package var forwarding = Forwarding.enable
        /// The folder in which the namespaces of isolated networks are named; where `ip netns` has its own by default.
        package var namespaces = "/run/netns"
        /// Whether the nftables tables are the daemon's own, where the kernel can do that.
        package var protectTables = true
    }

    package struct Push: Hashable, Sendable {
        package var listen = "0.0.0.0:50001"
        package var plaintext = false
        /// Paths of PEM files; empty: none.
        package var certificate = ""
        package var key = ""
        package var clientCA = ""
        /// The allow-list, as `PushClients` reads it.
        package var clients: [String] = []
        /// Bytes.
        package var maxMessage = 64 << 20
        /// Of one push, and of a snapshot's pieces together.
        package var maxResources = 100_000
        /// At a time, of one connection.
        package var maxStreams = 100
        /// At a time.
        package var maxConnections = 64
        /// After so much silence a client is asked whether it is there; the connection ends when a third of it later it hasn't answered.
        package var keepalive = Duration.seconds(60)

        package init() {}

        /// Whether there is a port at all: nobody listens without either certificates or the word that none are wanted.
        package var isOn: Bool { !listen.isEmpty && (plaintext || !certificate.isEmpty) }
    }

    package struct Socket: Hashable, Sendable {
        package var socket: String
        package var group = "hawser"
    }

    package struct Metrics: Hashable, Sendable {
        /// "address:port"; empty: off.
        package var listen = ""
    }

    package struct State: Hashable, Sendable {
        package var directory = "/var/lib/hawser"
        package var database: String { directory + "/intents.sqlite" }
    }

    package struct Intents: Hashable, Sendable {
        /// Empty: none.
        package var directory = "/etc/hawser/intents.d"
        /// Of all resources together, whoever asks for them (`Intent.values`).
        package var maxValues = 1_000_000
    }

    package struct Conntrack: Hashable, Sendable {
        /// The bits of the connection-tracking mark that Hawser owns.
        package var mark: UInt32 = 0xFFFF_0000
        package var invalid = InvalidPackets.rules
        /// The most tracked flows that a pod may have opened; 0: as many as it likes.
        package var podFlows: UInt32 = 0
        /// The most fragments a second that a pod may send; 0: as many as it likes.
        package var podFragments: UInt32 = 20
    }

    package struct Drops: Hashable, Sendable {
        package var logRate = Rate(count: 100, unit: .second)
    }

    package struct Alcor: Hashable, Sendable {
        package enum UnsetProtocol: String, CaseIterable, Sendable { case any, tcp }

        package var unsetProtocol = UnsetProtocol.any
        /// "host:port" of the network configuration manager; empty: none.
        package var manager = ""
        package var isolated = true
    }

    package struct Log: Hashable, Sendable {
        package enum Format: String, CaseIterable, Sendable { case text, json }

        package var level = Logger.Level.info
        package var format = Format.text
    }

    package var host = Host()
    package var push = Push()
    package var control = Socket(socket: "/run/hawser/control.sock")
    package var debug = Socket(socket: "/run/hawser/debug.sock")
    package var metrics = Metrics()
    package var state = State()
    package var intents = Intents()
    package var conntrack = Conntrack()
    package var drops = Drops()
    package var alcor = Alcor()
    package var log = Log()

    package init() {}
}

/// So many in each unit of time.
package struct Rate: Hashable, Sendable, CustomStringConvertible {
    package enum Unit: String, CaseIterable, Sendable { case second, minute, hour }

    package var count: Int
    package var unit: Unit
    package var description: String { "\(count)/\(unit.rawValue)" }
}
