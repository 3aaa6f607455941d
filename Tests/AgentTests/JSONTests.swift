import HostNetwork
import Store
import Testing

@Suite("JSON") struct JSONTests {
    @Test(
        "is read as it is written",
        arguments: [
            ("{}", Document.map([])), ("[1, -2, 3.5, 1e3]", .list([.int(1), .int(-2), .double(3.5), .double(1000)])),
            ("{\"b\": true, \"a\": null, \"b\": false}", .map([("b", .bool(true)), ("a", .null), ("b", .bool(false))])),
            (#""\"\\\/\b\f\n\r\té😀é""#, .string("\"\\/\u{8}\u{C}\n\r\té😀é")), ("\t[\r\n]\n", .list([])),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)),
        ])
    func reads(text: String, document: Document) throws {
        #expect(try JSONParser.parse(text.utf8) == document)
    }

    @Test(
        "that is broken is refused with its line and column",
        arguments: [
            ("{\"a\": }", 1, 7), ("[1,\n2,,]", 2, 3), ("{\"a\" 1}", 1, 6), ("[1] 2", 1, 5), ("\"open", 1, 6), ("tru", 1, 1), ("", 1, 1),
            ("{a: 1}", 1, 2), (#""\x""#, 1, 4), (#""\ud800""#, 1, 8),
        ])
    func refuses(text: String, line: Int, column: Int) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(text.utf8) }
        #expect(error?.line == line && error?.column == column, "\(text): \(error?.description ?? "")")
    }

    @Test("nested without end is refused, not followed")
    func deep() {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(String(repeating: "[", count: 100_000).utf8) }
    }

    @Test(
        "that is written reads back the same",
        arguments: [
            Document.map([("id", "a\"\\\n\u{1}ü😀"), ("list", [1, true, .null, .double(0.5)]), ("empty", .map([])), ("none", [])])
        ])
    func roundTrip(document: Document) throws {
        #expect(try JSONParser.parse(document.json.utf8) == document)
    }
}
