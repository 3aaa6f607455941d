import ArgumentParser
import Foundation

/// Shows what Hawser does, in namespaces of its own, and checks it while it does.
@main
struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hawser-demo",
        abstract: "Shows what Hawser does, by real packets, in a private lab of network namespaces.",
        discussion: "Run it by `make demo`, which gives it namespaces of its own. Exit status: 0 when everything was as promised.")

    @Option(help: "The folder of the intents that hawserd starts with.", completion: .directory)
    var examples = "Config/examples"

    func run() throws {
        let page = Page()
        let stage: Stage
        do {
            stage = try Stage(examples: examples)
        } catch {
            page.complain("\(error)")
            throw ExitCode.failure
        }
        let interrupts = Interrupts {
            stage.clear()
            page.complain("interrupted; everything is cleaned up")
            Foundation.exit(130)
        }
        defer { withExtendedLifetime(interrupts) {} }
        do {
            try Show(stage, page).run()
            stage.clear()
        } catch {
            page.complain("\(error)")
            page.complain(stage.lastWords)
            stage.clear()
            throw ExitCode.failure
        }
        guard page.close() else { throw ExitCode.failure }
    }
}

/// Ctrl-C, and being told to end.
private struct Interrupts {
    private let sources: [any DispatchSourceSignal]

    init(_ body: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            // What isn't ignored would end the process before the source sees it (signal(7)).
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler(handler: body)
            source.resume()
            return source
        }
    }
}
