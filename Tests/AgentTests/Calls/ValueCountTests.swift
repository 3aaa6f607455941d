import Foundation
import HawserProtocol
import PolicyModel
import SwiftProtobuf
import Testing

@testable import Agent

@Suite("The values of a message, counted before it is read") struct ValueCountTests {
    private static func varint(_ number: Int) -> [UInt8] {
        number < 128 ? [UInt8(number)] : [UInt8(number & 127 | 128)] + varint(number >> 7)
    }
    private static func nested(_ field: Int, _ bytes: [UInt8]) -> [UInt8] { varint(field << 3 | 2) + varint(bytes.count) + bytes }

    private func count(_ bytes: [UInt8], atMost limit: Int = .max) -> Int? { ValueCount.of(bytes.span, .push, atMost: limit) }

    /// A delta's group with these bytes in it.
    private static func group(_ bytes: [UInt8]) -> [UInt8] { nested(2, nested(1, nested(2, bytes))) }

    @Test("are its fields, those of messages within too, four for each message, and of a text nothing but the text")
    func table() {
        #expect(count([]) == 0)
        #expect(count([0x20, 1]) == 1)
        #expect(count([0x20, 1, 0x20, 0x80, 1]) == 2)
        #expect(count(Self.group([0x22, 0, 0x22, 0])) == 20)
        // What would be a field for each two bytes, if it were a message.
        #expect(count(Self.group(Self.nested(1, Array(repeating: UInt8(ascii: "x"), count: 100)))) == 13)
        // Fixed numbers, of 8 bytes and of 4.
        #expect(count([0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x0D, 0, 0, 0, 0]) == 2)
        #expect(count(Self.group([0x22, 0, 0x22, 0]), atMost: 19) == nil)
    }

    @Test("count up to where it can't be read on, and after a group: what comes before is made something of before it is refused")
    func broken() throws {
        let rules = (0..<2000).map { UInt8($0 % 2 == 0 ? 0x22 : 0) }
        for bytes in [
            Self.group(rules + [0x0F]), Self.group([0x2B, 0x2C] + rules), Self.group(rules + [0x80]), Self.group(rules) + [0x12, 9],
        ] {
            #expect(try #require(count(bytes)) >= 4012)
        }
        #expect(count(Array(Self.group(rules).dropLast())) == 1, "it says that it is longer than it is, and nobody reads it")
    }

    @Test("are never fewer than what is made of it", arguments: 0..<50)
    func law(seed: Int) throws {
        var random = Seeded(seed)
        func text() -> String { String((0..<random.number(0...5)).map { _ in random.pick("a", "b", "0", "1", ".", "/") as Character }) }
        var parts = 0
        func some<Value>(_ value: () -> Value) -> [Value] {
            (0..<random.number(0...4)).map { _ in
                parts += 1
                return value()
            }
        }
        let request = Hawser_V1_PushRequest.with { request in
            request.delta.upserts.securityGroups = some {
                .with { group in
                    group.id = text()
                    group.rules = some {
                        .with { rule in
                            if random.once(in: 2) { rule.ports = .with { $0.first = 7 } }
                            rule.cidr = text()
                        }
                    }
                }
            }
            request.delta.upserts.addressGroups = some { .with { $0.cidrs = some(text) } }
            request.delta.upserts.pods = some {
                .with {
                    $0.addresses = some(text)
                    $0.allowedAddressPairs = some { .init() }
                }
            }
        }
        let bytes: [UInt8] = try request.serializedBytes()
        let fields = try #require(count(bytes))
        #expect(fields >= parts && fields <= 2 * bytes.count)
        if fields > 0 { #expect(count(bytes, atMost: fields) == fields && count(bytes, atMost: fields - 1) == nil) }
    }

    @Test("that hold a text are told by their number")
    func texts() {
        let bytes = Self.nested(5, [1, 2, 3]) + Self.nested(2, Self.nested(5, [9])) + Self.nested(5, [4])
        #expect(ValueCount.length(of: 5, in: bytes.span) == 4)
        #expect(ValueCount.length(of: 5, in: Array(bytes.dropLast()).span) == 3)
    }

    @Test(
        "are messages where the .proto files say so",
        arguments: [
            ("PushRequest", MessageShape.push), ("GoalState", .goalState), ("GoalStateV2", .goalStateV2),
            ("NeighborRulesRequest", .neighborRules),
        ])
    func shapes(name: String, shape: MessageShape) throws {
        let protos = try ProtoFiles(in: DaemonHost.repository + "/Sources/HawserProtocol/Protos")
        #expect(try protos.shape(of: name) == shape)
    }
}

/// The messages of .proto files, as far as it matters which of their fields hold messages.
private struct ProtoFiles {
    /// By the message's name, which stands once; a field's number, and the name of its type.
    private var fields: [String: [(number: UInt64, type: String)]] = [:]

    init(in folder: String) throws {
        let files = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { $0 as? String }.filter {
            $0.hasSuffix(".proto")
        }
        for file in files {
            // Of a message within another its own name is used, qualified by the one around it.
            var (messages, blocks) = ([String](), [Bool]())
            for line in try String(contentsOfFile: folder + "/" + file, encoding: .utf8).split(separator: "\n") {
                let line = line.prefix { $0 != "/" }.trimmingPrefix { $0 == " " }
                if line.hasPrefix("message ") || line.hasPrefix("enum ") || line.hasPrefix("oneof ") || line.hasPrefix("service ") {
                    let isMessage = line.hasPrefix("message ")
                    if isMessage { messages.append(line.split(separator: " ").dropFirst().first.map(String.init) ?? "") }
                    if isMessage { fields[messages.joined(separator: "."), default: []] += [] }
                    if !line.contains("}") { blocks.append(isMessage) } else if isMessage { messages.removeLast() }
                } else if line.hasPrefix("}") {
                    if blocks.popLast() ?? false { messages.removeLast() }
                } else if let match = line.wholeMatch(of: /(?:repeated |optional )?([\w.]+|map<string, \w+>) \w+ = (\d+);.*/),
                    let number = UInt64(match.2)
                {
                    fields[messages.joined(separator: "."), default: []].append((number, String(match.1)))
                }
            }
        }
    }

    func shape(of name: String) throws -> MessageShape {
        var nested: [UInt64: MessageShape] = [:]
        for (number, type) in try #require(fields[name]) {
            if let match = type.wholeMatch(of: /map<string, (\w+)>/) {
                nested[number] = MessageShape([2: try shape(of: String(match.1))])
            } else if let inner = [name + "." + type, type].first(where: { fields[$0] != nil }) {
                nested[number] = try shape(of: inner)
            } else if let outer = name.lastIndex(of: "."), fields[name[..<outer] + "." + type] != nil {
                nested[number] = try shape(of: name[..<outer] + "." + type)
            }
        }
        return MessageShape(nested)
    }
}
