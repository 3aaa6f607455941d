import HawserAPI

extension Daemon {
    /// Removes all that is Hawser's from the host; what was removed, as lines for people. Refused while a daemon runs, which would make it
    /// anew. The accepted intents stay: the next start brings the host back to them.
    package static func cleanup(
        _ settings: Settings, _ remove: @Sendable (Settings) async throws -> [String]
    ) async throws -> [String] {
        let lock = try StateLock(directory: settings.state.directory)
        defer { withExtendedLifetime(lock) {} }
        let lines = try await remove(settings)
        for socket in [settings.control, settings.debug] {
            let file = SocketFile(socket)
            try await file.prepare()
            file.remove()
        }
        return lines
    }

    package static var version: String { hawserVersion }
}
