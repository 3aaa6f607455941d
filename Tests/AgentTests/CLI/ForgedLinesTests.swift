import Foundation
import HawserAPI
import Testing

@testable import hawser

/// Whatever text of others stands in an answer, no part of it is a line, or a column, of its own.
@Suite("Line ends of others") struct ForgedLinesTests {
    /// In JSON; decoded it has a line end, a return, a tab, and what terminals and Unicode take for line ends.
    private static let text = #"a\nFORGED pod web-0  applied\rFORGED\u0085FORGED\u2028FORGED\u000bFORGED\tFORGED"#

    private func decoded<View: Decodable>(_: View.Type, _ json: String) throws -> View {
        try JSON.decode(View.self, from: Data(json.replacing("X", with: Self.text).utf8))
    }

    private func expectPlain(_ output: String, lines: Int, location: SourceLocation = #_sourceLocation) {
        #expect(output.contains(#"a\nFORGED"#), "\(output)", sourceLocation: location)
        #expect(output.split(omittingEmptySubsequences: false) { $0.isNewline }.count == lines, "\(output)", sourceLocation: location)
        #expect(!output.contains { $0 == "\t" || $0 == "\u{B}" || $0 == "\r" }, "\(output)", sourceLocation: location)
    }

    // Fails on 7673dba: each of them has lines that begin with what was forged.
    @Test("stand spelled out in the cells of every table, and in details")
    func tables() throws {
        let status = #""status": "pending", "reason": "X", "revision": 0"#
        let pod = try decoded(
            PodView.self,
            #"""
            {"id": "X", "network": "X", "interface": {"host": "X", "index": 1, "pod": "X", "namespace": "X"}, "mac": "X", "addresses": ["X"],
             "securityGroups": ["X"], "since": "2027-01-15T08:00:00.000Z", \#(status)}
            """#)
        expectPlain(PodsCommand.table([pod, pod]), lines: 3)
        expectPlain(PodsCommand.details(pod), lines: 12)
        let group = try decoded(
            GroupView.self,
            #"""
            {"id": "X", "network": "X", "stateful": true, "rules": [{"rule": "X", "text": "X"}],
             "members": [{"address": "X", "kind": "pod", "id": "X"}], "boundBy": ["X"], \#(status)}
            """#)
        expectPlain(GroupsCommand.table([group]), lines: 2)
        expectPlain(GroupsCommand.details(group), lines: 13)
        let neighbor = try decoded(
            NeighborView.self,
            #"{"id": "X", "network": "X", "addresses": ["X"], "mac": "X", "host": "X", "securityGroups": ["X"], \#(status)}"#)
        expectPlain(NeighborsCommand.table([neighbor]), lines: 2)
        let network = try decoded(
            NetworkView.self,
            #"""
            {"id": "X", "isolated": true, "domain": {"kind": "namespace", "path": "X"}, "pods": ["X"], "neighbors": 0,
             "subnets": [{"id": "X", "cidr": "X", "gateway": "X", "gatewayMAC": "X",
                          "routes": [{"destination": "X", "nextHop": "X", "priority": 0}]}],
             "fabric": {"kind": "X", "mtu": 1, "address": "X", "tunnels": [{"id": 1, "device": "X", "isThere": true}]}, \#(status)}
            """#)
        expectPlain(NetworksCommand.table([network]), lines: 2)
        expectPlain(NetworksCommand.details(network), lines: 20)
        let count = #"{"packets": 0, "bytes": 0}"#
        let flow =
            #"{"rules": [{"group": "X", "rule": "X", "text": "X", "packets": 0, "bytes": 0}], "denied": \#(count), "invalid": \#(count)}"#
        expectPlain(RulesCommand.table(try decoded(RulesView.self, #"{"pod": "X", "ingress": \#(flow), "egress": \#(flow)}"#)), lines: 7)
    }

    @Test("stand spelled out in answers, events, explanations and complaints")
    func sentences() throws {
        let answer = try decoded(
            ApplyView.self,
            #"""
            {"results": [{"kind": "X", "id": "X", "status": "rejected", "reason": "X", "field": "X", "kernelMicroseconds": 0,
             "totalMicroseconds": 0}], "transaction": {"messages": 0, "bytes": 0, "generation": 0}, "plan": ["X", "X"]}
            """#)
        expectPlain(Answers.table(answer), lines: 5)
        let event = try decoded(
            EventView.self,
            #"{"time": "2027-01-15T08:00:00.000Z", "kind": "X", "id": "X", "event": "X", "reason": "X", "source": "X"}"#)
        expectPlain(EventsCommand.line(event, colors: false), lines: 1)
        let half = #"{"pod": "X", "direction": "X", "verdict": "allowed", "group": "X", "rule": "X", "reason": "X"}"#
        let explanation = try decoded(
            ExplainView.self,
            #"""
            {"verdict": "allowed", "network": "X", "group": "X", "rule": "X", "reason": "X", "halves": [\#(half)],
             "route": {"kind": "nowhere", "reason": "X", "destination": "X"}}
            """#)
        expectPlain(ExplainCommand.table(explanation), lines: 8)
        let result =
            #"{"type": "X", "id": "X", "operation": "X", "status": "X", "reason": "X", "kernelMicroseconds": 0, "totalMicroseconds": 0}"#
        expectPlain(PushCommand.table(try decoded(GoalStateView.self, #"{"results": [\#(result)], "totalMicroseconds": 0}"#)), lines: 2)
        let paper = Paper()
        paper.terminal().complain(Answers.sentence(answer.results[0]))
        expectPlain(paper.error, lines: 1)
    }

    /// Fails on b183833: what is beyond U+007E stands as it is.
    @Test("and what steers a terminal or isn't seen stand spelled out in JSON, which reads back the same")
    func json() throws {
        let text = "a\n\u{1B}[2J\u{7F}\u{9B}31m\u{2028}\u{202E}\u{200F}\u{FEFF}\u{AD}\u{E0041} \u{E9}\u{301}\u{1F600}"
        let escaped = #"{"a":"a\n\u001b[2J\u007f\u009b31m\u2028\u202e\u200f\ufeff\u00ad\udb40\udc41 "# + "\u{E9}\u{301}\u{1F600}\"}"
        #expect(String(decoding: try JSON.line(["a": text]), as: UTF8.self) == escaped)
        for json in [try JSON.line(["a": text]), try JSON.pretty(["a": text])] {
            #expect(try JSON.decode([String: String].self, from: json)["a"]?.utf8.elementsEqual(text.utf8) == true)
        }
        #expect(String(decoding: try JSON.pretty(["a": ["\u{E9}"]]), as: UTF8.self).split(separator: "\n").count == 5)
    }
}
