package import Foundation
package import GRPCCore
import GRPCNIOTransportHTTP2
import HawserProtocol
import SwiftProtobuf

/// Writes through the control socket: pushes, as a controller's, over a Unix socket.
package struct ControlClient: Sendable {
    private let socket: String
    private let service: Hawser_V1_Control.Client<HTTP2ClientTransport.Posix>
    private let push: Hawser_V1_Push.Client<HTTP2ClientTransport.Posix>
    let alcor: Alcor_Schema_GoalStateProvisioner.Client<HTTP2ClientTransport.Posix>

    /// Connects, runs `body`, and hangs up; one connection serves all calls that `body` makes.
    package static func connected<Result: Sendable>(
        to socket: String, _ body: (ControlClient) async throws -> Result
    ) async throws -> Result {
        let transport = try HTTP2ClientTransport.Posix(target: .unixDomainSocket(path: socket), transportSecurity: .plaintext)
        return try await withGRPCClient(transport: transport) { client in
            try await body(
                ControlClient(
                    socket: socket, service: Hawser_V1_Control.Client(wrapping: client), push: Hawser_V1_Push.Client(wrapping: client),
                    alcor: Alcor_Schema_GoalStateProvisioner.Client(wrapping: client)))
        }
    }

    /// One file of intents: what errors call it, and its text in YAML or JSON.
    package struct Document: Hashable, Sendable {
        package var name: String
        package var content: Data

        package init(name: String, content: Data) {
            self.name = name
            self.content = content
        }
    }

    package func apply(_ documents: [Document], prune: Bool = false, dryRun: Bool = false) async throws -> ApplyView {
        try await apply(
            .with {
                $0.documents.documents = documents.map { document in
                    .with {
                        $0.name = document.name
                        $0.content = document.content
                    }
                }
                $0.documents.prune = prune
                $0.dryRun = dryRun
            })
    }

    package func delete(_ kind: ResourceKind, _ ids: [String], dryRun: Bool = false) async throws -> ApplyView {
        try await apply(
            .with {
                $0.delta.deletions = ids.map { id in
                    .with {
                        $0.kind = Hawser_V1_Kind(kind)
                        $0.id = id
                    }
                }
                $0.dryRun = dryRun
            })
    }

    private func apply(_ request: Hawser_V1_PushRequest) async throws -> ApplyView {
        try await explained { try await ApplyView(push.apply(request)) }
    }

    package func resync() async throws -> ApplyView {
        try await explained { try await ApplyView(service.resync(Hawser_V1_ResyncRequest())) }
    }

    /// gRPC says "unavailable" whatever the reason: the socket itself knows more.
    func explained<Answer>(_ call: () async throws -> Answer) async throws -> Answer {
        do {
            return try await call()
        } catch let error as RPCError {
            if error.code == .unavailable, let errno = await SocketProbe.errno(of: socket) {
                throw Unreachable(socket: socket, errno: errno, setBy: "--control-socket or HAWSER_CONTROL_SOCKET")
            }
            throw Refused(code: error.code, message: error.message)
        }
    }

    /// The daemon refused the request as a whole.
    package struct Refused: Error, Hashable, Sendable, CustomStringConvertible {
        package var code: RPCError.Code
        package var message: String
        package var description: String { message }
    }
}
