package import GRPCCore
import GRPCNIOTransportHTTP2
package import Logging
import NIOCore
import ServiceLifecycle

/// The control socket: gRPC for the command line and CNI on the same host.
///
/// Who may connect is decided by the socket's permissions. The gRPC library doesn't hand a call's peer credentials to its handler, so they
/// are logged and counted for each connection, not checked for each call.
package struct ControlServer: Service {
    private let file: SocketFile
    private let services: [any RegistrableRPCService]
    private let logger: Logger
    private let limits: SocketClients.Limits
    private let access: PushAccess
    private let onListening: @Sendable () -> Void

    package init(
        _ settings: Settings.Socket, reconciler: any Reconciling, logger: Logger, limits: SocketClients.Limits = SocketClients.Limits(),
        bounds: CallBounds = CallBounds(), onListening: @escaping @Sendable () -> Void = {},
        services: (PushAccess) -> [any RegistrableRPCService] = { _ in [] }
    ) {
        file = SocketFile(settings)
        // The same as at the push port: the socket's permissions have judged already.
        access = PushAccess(.control, logger: logger, meter: PushMeter(), bounds: bounds)
        self.services = [ControlService(reconciler: reconciler)] + services(access)
        self.logger = logger
        self.limits = limits
        self.onListening = onListening
    }

    package func run() async throws {
        try await file.prepare()
        defer { file.remove() }
        let clients = SocketClients(of: "control", limits, logger: logger)
        let transport = HTTP2ServerTransport.Posix(
            address: .unixDomainSocket(path: file.path), transportSecurity: .plaintext,
            config: .defaults { config in
                config.rpc.maxRequestPayloadSize = 64 << 20  // bytes; a file of the intents' folder may be as big
                // One who says nothing is asked whether he is there; a call that waits for the kernel is no silence.
                config.connection.keepalive.time = .nanoseconds(limits.idle.nanoseconds)
                config.connection.keepalive.timeout = .nanoseconds(limits.patience.nanoseconds)
                config.connection.keepalive.clientBehavior.allowWithoutCalls = true
                config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = .seconds(5)
                config.channelDebuggingCallbacks.onBindTCPListener = { AcceptPause.add(to: $0) }
                config.channelDebuggingCallbacks.onAcceptTCPConnection = { clients.accept($0, access.bounds) }
                config.channelDebuggingCallbacks.onAcceptHTTP2Stream = { MessageWatch.opened($0) }
            })
        let server = GRPCServer(transport: CheckedTransport(transport), services: services, interceptors: [access])
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.serve() }
                try await transport.listens(at: "control.socket (\(file.path))", &group)
                file.openToGroup(logger)
                logger.info("control: listening on \(file.path)")
                onListening()
                try await group.waitForAll()
            }
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
        }
    }
}
