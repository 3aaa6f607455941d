import GRPCCore
import SwiftProtobuf

extension PushAccess {
    func call(of metadata: Metadata) -> Call? { bounds.call(of: metadata) }

    /// How many values a client's message or snapshot may have.
    static func mostValues(of client: PushClient) -> Int {
        client.rights.mayPushAll ? CallBounds.mostValues : CallBounds.mostRestrictedValues
    }

    /// On whose account a client's call is.
    static func account(of client: PushClient, _ call: Call?) -> Budget.Client {
        call?.client ?? Budget.Client(client)
    }

    /// Waits for room for so many values.
    func room(for values: Int, _ client: PushClient, _ call: Call?) async throws -> Room {
        try await Room(for: values, in: bounds.values(for: values), of: Self.account(of: client, call))
    }

    /// Waits for the turn of a dry run; at once what is none.
    func turn(dryRun: Bool, _ client: PushClient, _ call: Call?) async throws -> Room? {
        guard dryRun else { return nil }
        return try await Room(for: 1, in: bounds.rehearsals, of: Self.account(of: client, call))
    }

    /// Reads a message when there is room for what is made of it.
    func read<Message>(_ counted: Counted<Message>, _ client: PushClient, _ call: Call?) async throws -> (message: Message, room: Room) {
        // Its bytes are on its account until they have been read.
        let bytes = try call?.take()
        defer { withExtendedLifetime(bytes) {} }
        let most = Self.mostValues(of: client)
        guard counted.values <= most else { throw RPCError.values("a message", most) }
        let room = try await room(for: min(most, counted.values + counted.textValues), client, call)
        return (try counted.message(), room)
    }

    /// Serves a call of one message, and keeps its room until the client has read the answer.
    func serve<Message, Reply>(
        _ request: ServerRequest<Counted<Message>>, _ context: ServerContext, _ body: (Message, PushClient, Call?) async throws -> Reply
    ) async throws -> Reply {
        let (client, call) = (try client(of: context), call(of: request.metadata))
        let (message, room) = try await read(request.message, client, call)
        call?.keep(room)
        // A client that gives up doesn't take back what it asked for.
        defer { withExtendedLifetime(room) {} }
        let reply = try await body(message, client, call)
        call?.answered()
        return reply
    }
}

extension Budget.Client {
    init(_ client: PushClient) { self.init(name: client.name, isPrivileged: client.rights.mayPushAll) }
}
