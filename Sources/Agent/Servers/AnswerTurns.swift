import Hummingbird

/// Gives each client of the debug socket its turn: so many answers at a time are made, and kept until they are read.
struct AnswerTurns: RouterMiddleware {
    typealias Context = DebugContext

    let clients: SocketClients
    let bounds: CallBounds

    @concurrent func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        // The others are short, or written piece by piece.
        guard request.uri.path.hasPrefix("/v1/"), request.uri.path != EventStream.path else { return try await next(request, context) }
        let room = try await Room(for: 1, in: bounds.answers, of: clients.account(of: context.channel))
        var response = try await next(request, context)
        let body = response.body
        response.body = ResponseBody(contentLength: body.contentLength) { writer in
            defer { withExtendedLifetime(room) {} }
            try await body.write(writer)
        }
        return response
    }
}
