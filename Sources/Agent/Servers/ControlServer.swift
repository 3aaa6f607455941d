import CLinux
package import GRPCCore
import GRPCNIOTransportHTTP2
package import Logging
import NIOCore
import ServiceLifecycle

/// The control socket: gRPC for the command line and CNI on the same host.
///
/// Who may connect is decided by the socket's permissions. The gRPC library doesn't hand a call's peer credentials to its handler, so they
/// are logged for each connection, not checked for each call.
package struct ControlServer: Service {
    private let file: SocketFile
    private let services: [any RegistrableRPCService]
    private let logger: Logger
    private let onListening: @Sendable () -> Void

    package init(
        _ settings: Settings.Socket, reconciler: any Reconciling, logger: Logger, onListening: @escaping @Sendable () -> Void = {},
        services: (PushAccess) -> [any RegistrableRPCService] = { _ in [] }
    ) {
        file = SocketFile(settings)
        // The same as at the push port: the socket's permissions have judged already.
        self.services = [ControlService(reconciler: reconciler)] + services(PushAccess(.control, logger: logger, meter: PushMeter()))
        self.logger = logger
        self.onListening = onListening
    }

    package func run() async throws {
        try await file.prepare()
        defer { file.remove() }
        let transport = HTTP2ServerTransport.Posix(
            address: .unixDomainSocket(path: file.path), transportSecurity: .plaintext,
            config: .defaults { config in
                config.rpc.maxRequestPayloadSize = 64 << 20  // bytes; a file of the intents' folder may be as big
                config.channelDebuggingCallbacks.onAcceptTCPConnection = { [logger] channel in Self.logPeer(of: channel, logger) }
            })
        let server = GRPCServer(transport: transport, services: services)
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.serve() }
                _ = try await transport.listeningAddress  // once it is bound
                file.openToGroup(logger)
                logger.info("control: listening on \(file.path)")
                onListening()
                try await group.waitForAll()
            }
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
        }
    }

    /// SO_PEERCRED (unix(7)): who connected, as the kernel knows it.
    private static func logPeer(of channel: any Channel, _ logger: Logger) -> EventLoopFuture<Void> {
        guard let options = channel as? any SocketOptionProvider else { return channel.eventLoop.makeSucceededVoidFuture() }
        return options.unsafeGetSocketOption(level: .socket, name: .init(rawValue: SO_PEERCRED)).map { (peer: hawser_peer) in
            logger.debug("control: connection of process \(peer.process), user \(peer.user), group \(peer.group)")
        }.recover { _ in }
    }
}
