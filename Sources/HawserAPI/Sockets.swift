import Foundation

/// Where the daemon listens on this host.
package struct Sockets: Hashable, Sendable {
    package static let defaultControl = "/run/hawser/control.sock"
    package static let defaultDebug = "/run/hawser/debug.sock"

    package var control: String
    package var debug: String

    /// A flag wins over the environment (`HAWSER_CONTROL_SOCKET`, `HAWSER_DEBUG_SOCKET`), the environment over the default.
    /// An empty value counts as none.
    package init(
        control: String? = nil, debug: String? = nil, environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        func first(_ candidates: String?..., fallback: String) -> String {
            for case let candidate? in candidates where !candidate.isEmpty { return candidate }
            return fallback
        }
        self.control = first(control, environment["HAWSER_CONTROL_SOCKET"], fallback: Self.defaultControl)
        self.debug = first(debug, environment["HAWSER_DEBUG_SOCKET"], fallback: Self.defaultDebug)
    }
}
