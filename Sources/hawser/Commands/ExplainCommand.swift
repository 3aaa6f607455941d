import ArgumentParser
import HawserAPI

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Would this packet pass, and why?",
        discussion: """
            Asks about the first packet of a new flow, from the model that programs the kernel, and says where it goes: to a pod of this host, \
            to another host and by which way, out by the host's own routing, or nowhere. Exit status: 0 when the rules allow it, 1 when they \
            deny it or it can't be said, 2 when the question makes no sense.
            """)

    enum Direction: String, EnumerableFlag {
        case ingress, egress

        static func help(for value: Direction) -> ArgumentHelp? {
            value == .ingress ? "A flow that the remote opens to the pod." : "A flow that the pod opens to the remote."
        }
    }

    @Option(help: "A pod's id.") var pod: String
    @Flag var direction: Direction
    @Option(help: "The address of the other end.") var remote: String
    @Option(name: .customLong("protocol"), help: "A name or number (default: tcp with a port, icmp with a type, else any).")
    var ipProtocol: String?
    @Option(help: "The destination port.") var port: String?
    @Option(help: "The source port.") var sourcePort: String?
    @Option(help: "An ICMP type, or type/code.") var icmpType: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let query = ExplainQuery(
            pod: pod, direction: direction.rawValue, remote: remote, protocol: ipProtocol, port: port, sourcePort: sourcePort,
            icmpType: icmpType)
        let answer: ExplainView
        do {
            answer = try await common.debug.explain(query)
        } catch let refused as DebugClient.Refused where refused.status == 400 || refused.status == 404 {
            Terminal.current.complain(refused.message)
            throw Runner.Outcome.wrongUsage
        }
        try common.show(answer, table: Self.table)
        if answer.verdict == .denied { throw Runner.Outcome.refused }
    }

    static func table(_ answer: ExplainView) -> String {
        var table = Table("POD", "DIRECTION", "VERDICT", "WHY")
        for half in answer.halves { table.add(Styled(half.pod), Styled(half.direction), styled(half.verdict), Styled(half.reason)) }
        var details = Details()
        details.add("network", answer.network.map { Styled($0) })
        details.add("route", answer.route.map { Styled(words(for: $0), $0.kind == .nowhere ? .red : nil) })
        let isLost = answer.verdict == .allowed && answer.route?.kind == .nowhere
        let but = isLost ? "\n" + "but nothing leads there: \(answer.route?.reason ?? "")".printableLine : ""
        let verdict = "\(answer.verdict.rawValue): \(answer.reason)".printableLine
        return [verdict + but, table.rendered(), details.rendered()].filter { !$0.isEmpty }
            .joined(separator: "\n\n")
    }

    private static func words(for route: ExplainView.Route) -> String {
        (route.kind == .nowhere ? "nowhere: " : "") + route.reason + (route.destination.map { " (route to \($0))" } ?? "")
    }

    private static func styled(_ verdict: ExplainView.Verdict) -> Styled { Styled(verdict.rawValue, verdict == .allowed ? .green : .red) }
}
