package import GRPCCore
import GRPCNIOTransportHTTP2
import HostNetwork
package import Logging
import NIOCore
import ServiceLifecycle

/// The push port: gRPC over TCP, behind mutual TLS unless the settings say otherwise, for every service that it is given.
package struct PushServer: Service {
    private let settings: Settings.Push
    private let services: [any RegistrableRPCService]
    private let security: PushConnections.Security?
    private let access: PushAccess
    private let bounds: CallBounds
    private let meter: PushMeter
    private let logger: Logger
    private let onListening: @Sendable () -> Void

    /// Throws when the certificates can't be used.
    ///
    /// - Parameter services: what is served, made with the access that judges their calls.
    package init(
        _ settings: Settings.Push, bounds: CallBounds, meter: PushMeter, logger: Logger, onListening: @escaping @Sendable () -> Void = {},
        services: (PushAccess) -> [any RegistrableRPCService]
    ) throws {
        self.settings = settings
        self.bounds = bounds
        self.meter = meter
        self.logger = logger
        self.onListening = onListening
        let clients = PushClients(settings.clients) ?? .nobody
        security =
            settings.plaintext
            ? nil : PushConnections.Security(certificates: try PushCertificates(settings, logger: logger), clients: clients)
        access = PushAccess(settings.plaintext ? .plaintext : .certificates(clients), logger: logger, meter: meter, bounds: bounds)
        self.services = services(access)
    }

    package func run() async throws {
        let connections = PushConnections(
            places: PushPlaces(PushPlaces.Limits(all: settings.maxConnections)), keepalive: settings.keepalive, security: security,
            bounds: bounds, meter: meter, logger: logger)
        let transport = HTTP2ServerTransport.Posix(
            address: try address(), transportSecurity: .plaintext,
            config: .defaults { config in
                config.rpc.maxRequestPayloadSize = settings.maxMessage
                config.http2.maxConcurrentStreams = settings.maxStreams
                // A client that vanished without a word is noticed; one that asks whether we are here isn't sent away for it.
                config.connection.keepalive.time = settings.keepalive
                config.connection.keepalive.timeout = settings.keepalive / 3
                config.connection.keepalive.clientBehavior.allowWithoutCalls = true
                config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = .seconds(5)
                // An answer isn't held back for the sake of others.
                config.connection.flushCoalescing = nil
                config.channelDebuggingCallbacks.onBindTCPListener = { AcceptPause.add(to: $0) }
                config.channelDebuggingCallbacks.onAcceptTCPConnection = { connections.accept($0) }
                config.channelDebuggingCallbacks.onAcceptHTTP2Stream = { MessageWatch.opened($0) }
            })
        let server = GRPCServer(transport: CheckedTransport(transport), services: services, interceptors: [access])
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.serve() }
                try await transport.listens(at: "push.listen (\(settings.listen))", &group)
                meter.listens(at: settings.listen, plaintext: settings.plaintext)
                if settings.plaintext {
                    logger.warning(
                        "push: listening on \(settings.listen) WITHOUT TLS: whoever reaches this port decides on every pod's network (push.plaintext)"
                    )
                } else {
                    logger.info("push: listening on \(settings.listen), for clients with a certificate of \(settings.clientCA)")
                }
                onListening()
                try await group.waitForAll()
            }
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
        }
    }

    private func address() throws -> GRPCNIOTransportHTTP2.SocketAddress {
        guard let colon = settings.listen.lastIndex(of: ":"), let port = Int(settings.listen[settings.listen.index(after: colon)...]) else {
            throw UnusableAddress(text: settings.listen)
        }
        let host = settings.listen[..<colon].trimmingPrefix("[").prefix { $0 != "]" }
        switch try? IPAddress(parsing: host) {
        case .v4: return .ipv4(host: String(host), port: port)
        case .v6: return .ipv6(host: String(host), port: port)
        case nil: throw UnusableAddress(text: settings.listen)
        }
    }
}

/// Nobody can listen there.
struct UnusableAddress: Error, CustomStringConvertible {
    var text: String
    var description: String { "push.listen (\(text)) isn't an IP address and a port" }
}
