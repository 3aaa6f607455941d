import Foundation
import GRPCCore
import GRPCProtobuf
import SwiftProtobuf

/// A message as it came, of which nothing is made yet but a count: what is made of it may take a hundred times its bytes, for an empty rule is
/// two of them.
struct Counted<Message: SwiftProtobuf.Message>: Sendable {
    private let bytes: Data
    /// Those of `ValueCount`, and one more for each 256 bytes.
    let values: Int
    /// How many values texts in it may have, which are counted when they are read.
    let textValues: Int

    /// - Parameter text: the field that holds texts of intents.
    init(_ bytes: Data, _ shape: MessageShape, text: UInt64? = nil) throws(RPCError) {
        self.bytes = bytes
        guard let count = ValueCount.of(bytes.span, shape, atMost: CallBounds.mostValues) else {
            throw .values("a message", CallBounds.mostValues)
        }
        values = count + bytes.count / 256
        // A value is a byte at least, and what separates it from the next.
        textValues = text.map { ValueCount.length(of: $0, in: bytes.span) / 2 } ?? 0
    }

    func message() throws(RPCError) -> Message {
        do { return try Message(serializedBytes: bytes) } catch {
            throw RPCError(code: .invalidArgument, message: "Can't deserialize to message of type \(Message.self).", cause: error)
        }
    }
}

extension RPCError {
    /// What is asked for is more than is read at a time.
    static func values(_ what: String, _ most: Int) -> RPCError {
        let each = "a field counts for one, those of messages within too, a message for four, and 256 bytes for one"
        return RPCError(code: .resourceExhausted, message: "\(what) of more than \(most) values (\(each)); nothing is changed")
    }
}

/// Counts a message instead of reading it.
struct CountingDeserializer<Message: SwiftProtobuf.Message>: MessageDeserializer {
    /// Of a message that knows no field the library keeps all bytes.
    private let whole = ProtobufDeserializer<Google_Protobuf_Empty>()
    private let shape: MessageShape
    private let text: UInt64?

    /// - Parameter text: the field that holds texts of intents.
    init(_ shape: MessageShape, text: UInt64? = nil) { (self.shape, self.text) = (shape, text) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Counted<Message> {
        try Counted(whole.deserialize(bytes).unknownFields.data, shape, text: text)
    }
}

/// Reads messages that are small by their nature: a path has 4,095 bytes at most, an id 253.
struct SmallDeserializer<Message: SwiftProtobuf.Message>: MessageDeserializer {
    private static var most: Int { 64 << 10 }
    private let reader = ProtobufDeserializer<Message>()

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Message {
        guard bytes.count <= Self.most else {
            throw RPCError(code: .resourceExhausted, message: "a request of \(bytes.count) bytes: \(Self.most) at most")
        }
        return try reader.deserialize(bytes)
    }
}

extension RPCRouter {
    /// Serves a method of one request and one reply.
    mutating func unary<Input: Sendable, Output: SwiftProtobuf.Message>(
        _ method: MethodDescriptor, _ deserializer: some MessageDeserializer<Input>,
        _ serve: @escaping @Sendable (ServerRequest<Input>, ServerContext) async throws -> Output
    ) {
        registerHandler(forMethod: method, deserializer: deserializer, serializer: ProtobufSerializer<Output>()) { request, context in
            StreamingServerResponse(single: ServerResponse(message: try await serve(ServerRequest(stream: request), context)))
        }
    }

    /// Serves a method of any number of replies.
    mutating func stream<Input: Sendable, Output: SwiftProtobuf.Message>(
        _ method: MethodDescriptor, _ deserializer: some MessageDeserializer<Input>,
        _ serve: @escaping @Sendable (StreamingServerRequest<Input>, RPCWriter<Output>, ServerContext) async throws -> Void
    ) {
        registerHandler(forMethod: method, deserializer: deserializer, serializer: ProtobufSerializer<Output>()) { request, context in
            StreamingServerResponse { writer in
                try await serve(request, writer, context)
                return [:]
            }
        }
    }
}
