import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Reads the debug socket: HTTP and JSON over a Unix socket.
package struct DebugClient: Sendable {
    package let socket: String

    package init(socket: String) { self.socket = socket }

    package func status() async throws -> StatusView { try await get("/v1/status") }
    package func pods() async throws -> [PodView] { try await get("/v1/pods") }
    package func pod(_ id: String) async throws -> PodView { try await get("/v1/pods/" + Self.encoded(id)) }
    package func groups() async throws -> [GroupView] { try await get("/v1/groups") }
    package func group(_ id: String) async throws -> GroupView { try await get("/v1/groups/" + Self.encoded(id)) }
    package func networks() async throws -> [NetworkView] { try await get("/v1/networks") }
    package func network(_ id: String) async throws -> NetworkView { try await get("/v1/networks/" + Self.encoded(id)) }
    package func neighbors() async throws -> [NeighborView] { try await get("/v1/neighbors") }
    package func rules(of pod: String) async throws -> RulesView { try await get("/v1/rules/" + Self.encoded(pod)) }

    package func doctor() async throws -> DoctorView { try await get("/v1/doctor") }

    package func explain(_ query: ExplainQuery) async throws -> ExplainView {
        try await get("/v1/explain?" + query.parameters.map { "\($0.name)=\(Self.encoded($0.value))" }.joined(separator: "&"))
    }

    /// Hands over the remembered events, oldest first; with `follow` also those to come, until the daemon ends or the task is cancelled.
    package func events(follow: Bool, _ handle: (EventView) async throws -> Void) async throws {
        let response = try await answer(to: follow ? "/v1/events?follow=true" : "/v1/events", from: follow ? Self.following : Self.asking)
        var lines = LineBuffer()
        do {
            for try await part in response.body {
                lines.append(part)
                while let line = lines.next() { try await handle(JSON.decode(EventView.self, from: line)) }
            }
        } catch let error as HTTPClientError where error != .cancelled {
            throw Interrupted(socket: socket, reason: "\(error)")
        }
    }

    /// The daemon went away in the middle of an answer.
    package struct Interrupted: Error, Hashable, Sendable, CustomStringConvertible {
        package var socket: String
        package var reason: String
        package var description: String {
            "hawserd at \(socket) ended without finishing its answer (\(reason)): what happened since is missing here"
        }
    }

    private func get<Value: Decodable>(_ path: String) async throws -> Value {
        let body = try await answer(to: path, from: Self.asking).body.collect(upTo: Self.maxAnswer)
        return try JSON.decode(Value.self, from: Data(buffer: body))
    }

    /// For answers that come at once. A socket is there or it isn't: trying again, as the library does by default, would only keep people waiting.
    private static let asking = client(silence: .seconds(30))
    /// For answers that go on for as long as one likes, with any silence in between.
    private static let following = client(silence: nil)

    /// For the life of the process. `silence`: how long to wait for the next word of an answer.
    private static func client(silence: TimeAmount?) -> HTTPClient {
        var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(5), read: silence))
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// The answer's head once it is known to be a success; the body is still to come.
    private func answer(to path: String, from client: HTTPClient) async throws -> HTTPClientResponse {
        guard let url = URL(httpURLWithSocketPath: socket, uri: path) else { throw HTTPClientError.invalidURL }
        let response: HTTPClientResponse
        do {
            response = try await client.execute(HTTPClientRequest(url: url.absoluteString), timeout: .seconds(10))
        } catch {
            guard let errno = await SocketProbe.errno(of: socket) else { throw error }
            throw Unreachable(socket: socket, errno: errno, setBy: "--debug-socket or HAWSER_DEBUG_SOCKET")
        }
        guard response.status == .ok else {
            let text = try await response.body.collect(upTo: 1 << 16)
            throw Refused(status: Int(response.status.code), message: Self.message(in: Data(buffer: text)))
        }
        return response
    }

    /// The daemon answered, but not with what was asked for.
    package struct Refused: Error, Hashable, Sendable, CustomStringConvertible {
        /// The HTTP status: 404 for what isn't there.
        package var status: Int
        package var message: String
        package var description: String { message }
    }

    private static func message(in body: Data) -> String {
        struct Explained: Decodable { var error: String }
        return (try? JSON.decode(Explained.self, from: body).error) ?? String(decoding: body, as: UTF8.self)
    }

    /// Ids may hold '/' and ':', which mean something in a path.
    static func encoded(_ id: String) -> String {
        id.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~"))) ?? id
    }

    /// Bytes: a list of 100,000 pods stays below it.
    private static let maxAnswer = 256 << 20
}
