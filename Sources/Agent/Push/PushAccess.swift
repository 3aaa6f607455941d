package import GRPCCore
import GRPCNIOTransportHTTP2
import HostNetwork
package import Logging

/// Tells who calls, and what he may do; every call passes here before its service sees it.
///
/// A service on the push port that knows no more asks for nothing: a method that isn't listed below is for those who may push everything. One
/// that can hold itself to a client's part asks `client(of:)` for its rights.
package struct PushAccess: Sendable {
    package enum Door: Sendable {
        /// Whoever may connect to the control socket may do everything.
        case control
        /// Plaintext, because the settings say so: nobody has a name.
        case plaintext
        /// Mutual TLS, and the allow-list.
        case certificates(PushClients)
    }

    private let door: Door
    private let logger: Logger
    private let meter: PushMeter
    let bounds: CallBounds

    package init(_ door: Door, logger: Logger, meter: PushMeter, bounds: CallBounds = CallBounds()) {
        self.door = door
        self.logger = logger
        self.meter = meter
        self.bounds = bounds
    }

    /// Throws when he isn't on the list.
    package func client(of context: ServerContext) throws(RPCError) -> PushClient {
        switch door {
        case .control: return PushClient(name: "control", rights: .everything, source: Source.control)
        case .plaintext:
            let name = Self.address(context.remotePeer)
            return PushClient(name: name, rights: .everything, source: Source.push(name))
        case .certificates(let clients):
            let names = (context.transportSpecific as? HTTP2ServerTransport.Posix.Context)?.peerCertificate?.names ?? []
            if let client = clients.client(named: names) { return client }
            let who = PushClients.strangers(names)
            throw refuse("\(who) (\(Self.address(context.remotePeer))) isn't one of push.clients", code: .permissionDenied)
        }
    }

    /// To be thrown: the client may not do this.
    package func refuse(_ client: PushClient, _ what: String) -> RPCError {
        refuse("\(client.name) may not \(what): see push.clients", code: .permissionDenied)
    }

    private func refuse(_ message: String, code: RPCError.Code) -> RPCError {
        if meter.refuse() { logger.warning("push: refused: \(message)") }
        return RPCError(code: code, message: message)
    }

    /// "192.0.2.1" of "ipv4:192.0.2.1:50001".
    private static func address(_ peer: String) -> String {
        let address = peer.split(separator: ":", maxSplits: 1).last.map(String.init) ?? peer
        return address.lastIndex(of: ":").map { String(address[..<$0]) } ?? address
    }
}

extension PushAccess: ServerInterceptor {
    /// Those that hold themselves to a client's rights, or are for everybody who is on the list.
    private static let judgesItself: Set<String> = [
        "hawser.v1.Push/Push", "hawser.v1.Push/Apply", "hawser.v1.Push/Attach", "hawser.v1.Push/Detach", "grpc.health.v1.Health/Check",
        "grpc.health.v1.Health/Watch", "alcor.schema.GoalStateProvisioner/PushNetworkResourceStates",
        "alcor.schema.GoalStateProvisioner/PushGoalStatesStream", "alcor.schema.GoalStateProvisioner/PushGoalstates",
    ]
    private static let forReaders: Set<String> = ["hawser.v1.Push/Watch", "hawser.v1.Push/Check"]
    /// Those that keep events for a client that doesn't read them.
    private static let follows: Set<String> = ["hawser.v1.Push/Watch", "grpc.health.v1.Health/Watch"]

    @concurrent package func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: ServerContext,
        next: @Sendable @concurrent (StreamingServerRequest<Input>, ServerContext) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        let client = try client(of: context)
        let method = context.descriptor.fullyQualifiedMethod
        if !Self.judgesItself.contains(method) {
            let isAllowed = client.rights.mayPushAll || (Self.forReaders.contains(method) && client.rights.mayRead)
            guard isAllowed else { throw refuse(client, "call \(method)") }
        }
        if Self.follows.contains(method), let call = call(of: request.metadata), !call.costs(CallBounds.followerCost) {
            throw RPCError(code: .resourceExhausted, message: "\(client.name) follows what happens too many times already")
        }
        return try await next(request, context)
    }
}
