import Agent
import HostNetwork

/// Where the daemon meets this host's kernel.
enum Host {
    @Sendable static func start(_ parts: Daemon.Parts) async throws -> Daemon.Running { try await Daemon.linux(parts) }

    @Sendable static func cleanup(_ settings: Settings) async throws -> [String] { try Daemon.sweep(settings) }
}
