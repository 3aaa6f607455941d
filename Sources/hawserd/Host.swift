import Agent

/// Where the daemon meets this host's kernel.
enum Host {
    @Sendable static func start(_ parts: Daemon.Parts) async throws -> Daemon.Running {
        throw NoReconciler()
    }

    @Sendable static func cleanup(_ settings: Settings) async throws -> [String] {
        throw NoReconciler()
    }

    private struct NoReconciler: Error {}
}
