import Foundation
import HostNetwork
import Testing

@testable import Agent

@Suite("A text of intents") struct IntentReaderTests {
    private func read(_ text: String, _ name: String = "a.yaml") throws -> [Document] {
        try IntentReader.documents(in: Data(text.utf8), named: name)
    }

    @Test("is the same in YAML and in JSON")
    func sameInBoth() throws {
        let yaml = "pods:\n  - {id: web-0, mtu: 1450, adminUp: true, mac: null, addresses: [\"fd00::1\"]}\n"
        let json = #"{"pods": [{"id": "web-0", "mtu": 1450, "adminUp": true, "mac": null, "addresses": ["fd00::1"]}]}"#
        #expect(try read(yaml) == read(json, "a.json"))
        #expect(try read("\t" + json, "standard input") == read(json, "a.json"))
    }

    @Test(
        "in YAML means what it looks like",
        arguments: [
            ("a: 10:20:30:40:50:51", Document.string("10:20:30:40:50:51")), ("a: yes", .string("yes")), ("a: 0777", .int(777)),
            ("a: 0x1f", .int(31)), ("a: '80'", .string("80")), ("a: 80", .int(80)), ("a: 80-81", .string("80-81")), ("a: ~", .null),
            ("a:", .null), ("a: True", .bool(true)), ("a: 1.5", .double(1.5)), ("a: 10.1.0.1", .string("10.1.0.1")),
            ("a: \"\"", .string("")),
        ])
    func scalars(text: String, value: Document) throws {
        #expect(try read(text) == [.map([("a", value)])])
    }

    @Test("may hold several documents, or none")
    func several() throws {
        #expect(try read("a: 1\n---\nb: 2\n") == [.map([("a", 1)]), .map([("b", 2)])])
        #expect(try read("").isEmpty)
    }

    @Test("that can't be read as a whole is refused with its name and the place")
    func unreadable() {
        #expect(throws: UnreadableText.self) { try read("pods: [") }
        let error = #expect(throws: UnreadableText.self) { try read("pods:\n  - id: a\n bad") }
        #expect(error?.description.hasPrefix("a.yaml: ") == true && error?.reason.contains("3:") == true, "\(error?.reason ?? "")")
        let json = #expect(throws: UnreadableText.self) { try read("{\n\"pods\": }", "a.json") }
        #expect(json?.reason.contains("line 2, column 9") == true)
        #expect(throws: UnreadableText.self) { try IntentReader.documents(in: Data([0xFF, 0xFE, 0x00]), named: "a.yaml") }
    }

    @Test("whose aliases unfold without end, or just too far, is refused, not followed", arguments: [11, 4])
    func bomb(levels: Int) {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...levels {
            text += "a\(level): &a\(level) [" + (0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", ") + "]\n"
        }
        // Of four levels that is a hundred thousand values more than there may be.
        text += "end: [" + (0..<36).map { _ in "*a\(levels)" }.joined(separator: ", ") + "]\n"
        #expect(throws: UnreadableText.self) { try read(text) }
    }

    @Test(
        "whose aliases are keys, or in collections that are, is refused: a key's hash goes through all that they stand for",
        arguments: ["*a11 : x", "? *a11\n: x", "{[*a11]: x}", "- [ *a11 ] : x", "{?[*a11]: x}"])
    func keyBomb(end: String) {
        var text = "- &a0 [x, x]\n"
        for level in 1..<40 { text += "- &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        let error = #expect(throws: UnreadableText.self) { try read(text + "- " + end.replacing("a11", with: "a39") + "\n") }
        #expect(error?.reason.contains("a key must be a plain word") == true, "\(error?.reason ?? "")")
    }

    @Test("may use aliases for values")
    func aliases() throws {
        #expect(try read("a: &x [1]\nb: *x\nc: {d: *x}\n") == [.map([("a", [1]), ("b", [1]), ("c", ["d": [1]])])])
    }

    @Test("with more values than anybody has intents is refused before it takes memory", arguments: ["a.yaml", "a.json"])
    func values(name: String) {
        let text = "[" + String(repeating: "0,", count: Document.mostValues) + "0]"
        let error = #expect(throws: UnreadableText.self) { try read(text, name) }
        #expect(error?.reason.contains("\(Document.mostValues) values") == true, "\(error?.reason ?? "")")
    }

    /// Fails on b183833: 250,000 of them, 4 MB, took minutes, in which nobody else's text was read.
    @Test("with thousands of directives is refused: each is compared with all before it", arguments: ["\n", "\r", "\u{85}", "\u{2028}"])
    func directives(end: String) throws {
        func text(_ count: Int) -> String { (0..<count).map { "%TAG !a\($0)! x\(end)" }.joined() + "---\na: b\n" }
        #expect(try read(text(64)) == [.map([("a", "b")])])
        let error = #expect(throws: UnreadableText.self) { try read(text(65)) }
        #expect(error?.reason.contains("begin with %") == true, "\(error?.reason ?? "")")
    }

    /// Fails on b183833: only LF and CR counted, though there are more ends of lines.
    @Test("counts its values whatever ends its lines", arguments: ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"])
    func lineEnds(end: String) throws {
        #expect(try read("- a\(end)- b\(end)") == [["a", "b"]])
        var left = 9
        let ten = Data(String(repeating: "- a\(end)", count: 10).utf8)
        let error = #expect(throws: UnreadableText.self) { try IntentReader.documents(in: ten, named: "a.yaml", values: &left) }
        #expect(error?.reason.contains("it has more than") == true, "before it is read: \(error?.reason ?? "")")
    }

    @Test("is refused in few words, however long its line is")
    func shortReason() {
        let error = #expect(throws: UnreadableText.self) { try read("a: [" + String(repeating: "x ", count: 1 << 20) + "}") }
        #expect((error?.reason.utf8.count ?? .max) < 2000)
    }

    @Test("in JSON has four digits in an escape, and no sign", arguments: ["\\u+123", "\\u-123", "\\u12", "\\ud800", "\\ud800\\u0041"])
    func escapes(escape: String) {
        #expect(throws: UnreadableText.self) { try read("[\"\(escape)\"]", "a.json") }
    }
}
