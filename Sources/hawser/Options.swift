import ArgumentParser
import HawserAPI

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "A table for people, or JSON for programs.")
    var output = OutputFormat.table

    @Option(help: "The daemon's socket for changes (HAWSER_CONTROL_SOCKET; \(Sockets.defaultControl)).", completion: .file())
    var controlSocket: String?

    @Option(help: "The daemon's socket for reading (HAWSER_DEBUG_SOCKET; \(Sockets.defaultDebug)).", completion: .file())
    var debugSocket: String?

    var sockets: Sockets { Sockets(control: controlSocket, debug: debugSocket) }
    var debug: DebugClient { DebugClient(socket: sockets.debug) }

    /// Prints `value` as JSON, or what `table` makes of it.
    func show<Value: Encodable>(_ value: Value, table: (Value) -> String) throws {
        switch output {
        case .json: Terminal.current.print(try String(decoding: JSON.pretty(value), as: UTF8.self))
        case .table: Terminal.current.print(table(value))
        }
    }
}
