import GRPCCore

/// A transport whose calls' headers are checked before the library reads them.
///
/// The library reads how long a call may take before anything of this project sees the call, and ends the process
/// where that is below zero (`Timeout.init(amount:unit:)` of grpc-swift-2 2.4.3): one header of any client's.
struct CheckedTransport<Base: ServerTransport>: ServerTransport {
    typealias Bytes = Base.Bytes

    private let base: Base

    init(_ base: Base) { self.base = base }

    func configure(context: GRPCServerContext) { base.configure(context: context) }

    func listen(
        streamHandler: @escaping @concurrent @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
    ) async throws {
        try await base.listen { stream, context in
            let checked = RPCStream(
                descriptor: stream.descriptor, inbound: Inbound(wrapping: CheckedParts(base: stream.inbound)),
                outbound: stream.outbound)
            await streamHandler(checked, context)
        }
    }

    func beginGracefulShutdown() { base.beginGracefulShutdown() }
}

/// What a client sends in a call, its headers checked.
private struct CheckedParts<Bytes: GRPCContiguousBytes & Sendable>: AsyncSequence, Sendable {
    typealias Element = RPCRequestPart<Bytes>
    typealias Base = RPCAsyncSequence<Element, any Error>

    struct Iterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator

        mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
            let part = try await base.next(isolation: actor)
            guard case .metadata(let metadata)? = part else { return part }
            return .metadata(metadata.checked)
        }

        mutating func next() async throws -> Element? { try await next(isolation: nil) }
    }

    let base: Base

    func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator()) }
}

extension Metadata {
    /// Without what isn't a time at all. The library passes over most of that by itself.
    var checked: Metadata {
        guard !self[stringValues: Self.timeout].allSatisfy(Self.isTime) else { return self }
        var checked = self
        checked.removeAllValues(forKey: Self.timeout)
        return checked
    }

    private static let timeout = "grpc-timeout"

    /// Whether it is 1 to 8 digits and a unit: "PROTOCOL-HTTP2.md" of gRPC, `Timeout`.
    private static func isTime(_ text: String) -> Bool {
        let (digits, unit) = (text.utf8.dropLast(), text.utf8.last)
        return (1...8).contains(digits.count) && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && unit.map("HMSmun".utf8.contains) ?? false
    }
}
