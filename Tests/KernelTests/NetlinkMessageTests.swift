import CLibMNL
import OwnThreads
import Testing

@testable import Netlink

@Suite("A netlink message", .ownThreads) struct NetlinkMessageTests {
    private static let number = AttributeKey<UInt32>(1)
    private static let short = AttributeKey<UInt8>(2)
    private static let port = AttributeKey<NetworkOrder<UInt16>>(3)
    private static let name = AttributeKey<String>(4)
    private static let nest = AttributeKey<Nest>(5)
    private static let bytes = AttributeKey<Bytes>(6)
    private static let presence = AttributeKey<Presence>(7)

    private static func sample() -> [UInt8] {
        var writer = MessageWriter()
        writer.message(MessageType(RTM_NEWLINK), [.request], sequence: 7) { message in
            message.put(raw: ifinfomsg())
            message.put(number, 0x0102_0304)
            message.put(short, 9)
            message.put(port, 0x0102)
            message.put(name, "eth0")
            message.nest(nest) { inner in
                inner.put(bytes, [1, 2, 3])
                inner.put(presence)
            }
        }
        return writer.bytes
    }

    @Test("is laid out as the kernel wants it: lengths without padding, padding to four bytes")
    func isLaidOut() {
        let expected: [UInt8] =
            [76, 0, 0, 0, 16, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 16)
            + [8, 0, 1, 0, 4, 3, 2, 1] + [5, 0, 2, 0, 9, 0, 0, 0] + [6, 0, 3, 0, 1, 2, 0, 0]
            + [9, 0, 4, 0, 101, 116, 104, 48, 0, 0, 0, 0] + [16, 0, 5, 0x80, 7, 0, 6, 0, 1, 2, 3, 0, 4, 0, 7, 0]
        var bytes = expected
        bytes[0] = UInt8(expected.count)
        #expect(Self.sample() == bytes)
    }

    @Test("is missed where the datagram ends in the middle of it, and those before it are read")
    func isCut() {
        let (one, two) = (Self.sample(), Self.sample() + Self.sample())
        for length in 0...two.count {
            let bytes = Array(two.prefix(length))
            var count = 0
            let isWhole = unsafe bytes.span.bytes.messages { _, _ in count += 1 }
            #expect(count == length / one.count)
            #expect(isWhole == (length % one.count == 0), "\(length) bytes")
        }
    }

    @Test("is read as it was written")
    func isReadBack() {
        let bytes = Self.sample()
        var seen: [String] = []
        unsafe bytes.span.bytes.attributes(after: ifinfomsg.self) { key, payload in
            switch key {
            case Self.number.number: seen.append("number \(payload.number(as: UInt32.self))")
            case Self.short.number: seen.append("short \(payload.number(as: UInt8.self))")
            case Self.port.number: seen.append("port \(payload.networkOrder(as: UInt16.self))")
            case Self.name.number: seen.append("name \(payload.text)")
            case Self.nest.number: payload.attributes { seen.append("inner \($0) \($1.array)") }
            default: seen.append("\(key)")
            }
        }
        #expect(seen == ["number 16909060", "short 9", "port 258", "name eth0", "inner 6 [1, 2, 3]", "inner 7 []"])
    }

    @Test("is never read beyond its end, whatever its lengths say", arguments: 0..<200)
    func isBounded(seed: UInt64) {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func random() -> UInt8 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 32)
        }
        var bytes = Self.sample()
        for _ in 0..<8 { bytes[Int(random()) % bytes.count] = random() }
        bytes.removeLast(Int(random()) % bytes.count)
        var read = 0
        func walk(_ span: RawSpan, from offset: Int, depth: Int) {
            span.attributes(from: offset) { _, payload in
                read += payload.byteCount + 4
                _ = payload.number(at: 2, as: UInt64.self)
                _ = payload.structure(as: ifinfomsg.self)
                _ = payload.text
                if depth < 3 { walk(payload, from: 0, depth: depth + 1) }
            }
        }
        unsafe walk(bytes.span.bytes, from: 32, depth: 0)
        #expect(read <= bytes.count * 4)
    }

    @Test("says nothing where it is too short")
    func isTooShort() {
        let bytes: [UInt8] = [1, 2]
        let span = unsafe bytes.span.bytes
        #expect(span.number(as: UInt32.self) == 0)
        #expect(span.number(at: -1, as: UInt8.self) == 0)
        #expect(span.structure(as: ifinfomsg.self) == nil)
        #expect(span.text == "\u{1}\u{2}")
    }
}
