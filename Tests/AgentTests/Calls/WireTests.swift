import NIOCore
import PolicyModel
import Testing

@testable import Agent

@Suite("What a client sends, told by its heads") struct WireTests {
    private static func message(_ length: Int) -> [UInt8] {
        [0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + [UInt8](repeating: 7, count: length)
    }

    private static func frame(_ kind: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeInteger(UInt32(payload.count) << 8 | UInt32(kind))
        bytes.writeInteger(flags)
        bytes.writeInteger(stream)
        bytes.writeBytes(payload)
        return bytes
    }

    @Test("is the same messages however it is cut", arguments: 0..<20)
    func messages(seed: Int) {
        var random = Seeded(seed)
        let lengths = (0..<8).map { _ in Int.random(in: 0..<40, using: &random) }
        let whole = lengths.flatMap(Self.message) + Self.message(100).prefix(20)
        let expected = lengths.flatMap { [MessageProgress.Step.began($0 + 5), .ended($0 + 5)] } + [MessageProgress.Step.began(105)]
        var (progress, steps, rest) = (MessageProgress(), [MessageProgress.Step](), whole[...])
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...9, using: &random))
            rest = rest.dropFirst(piece.count)
            progress.take(piece) { steps.append($0) }
        }
        #expect(steps == expected)
        #expect(progress.isUnderWay && progress.received == 20 && progress.length == 105)
    }

    @Test("is data without its padding, and none where the padding is longer than the frame")
    func padding() {
        func data(_ frame: ByteBuffer) -> [UInt8]? { WireFrame(frame).map { Array($0.data) } }
        #expect(data(Self.frame(0, 0, 1, [1, 2, 3])) == [1, 2, 3])
        #expect(data(Self.frame(0, 8, 1, [2, 1, 2, 3, 0, 0])) == [1, 2, 3])
        #expect(data(Self.frame(0, 8, 1, [3, 1, 2])) == [])
        #expect(data(Self.frame(0, 8, 1, [])) == [])
    }

    @Test("goes on after its headers, for one more that is spelled out")
    func headers() throws {
        let frame = try #require(WireFrame(Self.frame(1, 0x25, 5, [0x82])))
        #expect(frame.kind == .headers && frame.stream == 5)
        #expect(frame.continued == Self.frame(1, 0x21, 5, [0x82]))
        #expect(WireFrame.continuation(of: 5, "ab", "17") == Self.frame(9, 4, 5, [0, 2, 0x61, 0x62, 2, 0x31, 0x37]))
        #expect(WireFrame.length(in: Self.frame(0, 0, 1, [1, 2, 3])) == 12)
        #expect(WireFrame.length(in: ByteBuffer(bytes: [0, 0, 3])) == nil && WireFrame(ByteBuffer(bytes: [0, 0, 3, 0])) == nil)
    }
}
