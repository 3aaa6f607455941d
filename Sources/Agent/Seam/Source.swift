/// How the store and the events spell who asked for a resource: a resource goes when its file goes.
package enum Source {
    /// The control socket.
    package static let control = "control"

    /// A controller that pushes Alcor's goal states.
    package static let alcor = "alcor"

    /// A client of the push: "push:controller.example".
    package static func push(_ client: String) -> String { "push:" + client }

    /// A file of the intents' folder: "file:/etc/hawser/intents.d/web.yaml".
    package static func file(_ path: String) -> String { prefix + path }

    /// The path of the file, nil for what no file says.
    package static func path(of source: String) -> String? {
        source.hasPrefix(prefix) ? String(source.dropFirst(prefix.count)) : nil
    }

    private static let prefix = "file:"
}
