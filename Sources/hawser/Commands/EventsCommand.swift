import ArgumentParser
import HawserAPI

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "What happened on this host, oldest first.", aliases: ["event"])

    @Flag(name: .shortAndLong, help: "Go on with what happens from now on.")
    var follow = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let format = common.output
        try await common.debug.events(follow: follow) { event in
            switch format {
            case .json: Terminal.current.print(try String(decoding: JSON.line(event), as: UTF8.self))
            case .table: Terminal.current.print(Self.line(event))
            }
        }
    }

    /// A line for each event, for a table's widths aren't known before its end.
    static func line(_ event: EventView, colors: Bool = Terminal.current.hasColors) -> String {
        let word = Status(rawValue: event.event).map { Styled($0) } ?? Styled(event.event)
        var line = "\(JSON.text(event.time))  \("\(event.kind) \(event.id)".printableLine)  \(word.rendered(colors: colors))"
        if let reason = event.reason { line += "  \(reason.printableLine)" }
        if let source = event.source { line += "  (\(source.printableLine))" }
        return line
    }
}
