import HawserAPI
import Hummingbird
import NIOCore
import NIOFoundationCompat

/// `GET /v1/events`: newline-delimited JSON, what is remembered; with `?follow=true` also what happens from then on.
enum EventStream {
    static let path = "/v1/events"

    /// - Parameter client: who follows, and where what events that wait for it cost is counted.
    static func response(
        to request: Request, _ context: DebugContext, _ journal: Journal, _ client: (account: Budget.Client, tally: Tally)
    ) -> Response {
        let headers: HTTPFields = [.contentType: "application/x-ndjson"]
        guard request.uri.queryParameters["follow"] == "true" else {
            return Response(
                status: .ok, headers: headers,
                body: ResponseBody { writer in
                    for event in journal.remembered { try await writer.write(line(event)) }
                    try await writer.finish(nil)
                })
        }
        let isRoom = client.tally.add(CallBounds.followerCost, of: client.account)
        guard isRoom else {
            client.tally.remove(CallBounds.followerCost, of: client.account)
            return .error(.tooManyRequests, "\(client.account.name) follows events too many times already")
        }
        let follower = journal.follow()
        // A follower that hangs up must not be kept until the next event.
        context.channel.closeFuture.whenComplete { _ in
            follower.hangUp()
            client.tally.remove(CallBounds.followerCost, of: client.account)
        }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                for await event in follower { try await writer.write(line(event)) }
                try await writer.finish(nil)
            })
    }

    private static func line(_ event: EventView) throws -> ByteBuffer {
        var buffer = ByteBuffer(data: try JSON.line(event))
        buffer.writeInteger(UInt8(ascii: "\n"))
        return buffer
    }
}

/// What a request on the debug socket comes with: also its connection.
struct DebugContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
