import Agent
import HostNetwork

/// Where the daemon meets this host's kernel.
enum Host {
    static func run(_ loaded: SettingsLoader.Loaded) async throws {
        let names = Daemon.names(loaded.settings)
        try await Daemon.run(loaded) { try await Daemon.linux($0, names) }
    }

    @Sendable static func cleanup(_ settings: Settings) async throws -> [String] { try Daemon.sweep(settings) }
}
