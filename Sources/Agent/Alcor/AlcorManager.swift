import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import HawserAPI
import HawserProtocol
import HostNetwork
package import Logging
import ServiceLifecycle
import SwiftProtobuf

/// Tells Alcor's network configuration manager that this host has begun anew, so that it pushes what the host should be. Asked once for each
/// start of the daemon, and again only while there is no good answer.
package struct AlcorManager: Service {
    private let manager: String
    private let host: Settings.Host
    private let push: Settings.Push
    private let pause: @Sendable (Int) -> Duration
    private let patience: Duration
    private let logger: Logger
    private let listening: AsyncStream<Void>
    private let listener: AsyncStream<Void>.Continuation

    /// Nil where no manager is configured.
    /// - Parameters:
    ///   - patience: how long an answer is waited for.
    ///   - pause: how long to wait after so many failures in a row.
    package init?(
        _ settings: Settings, logger: Logger, patience: Duration = .seconds(15),
        pause: @escaping @Sendable (Int) -> Duration = AlcorManager.pause
    ) {
        guard !settings.alcor.manager.isEmpty else { return nil }
        manager = settings.alcor.manager
        host = settings.host
        push = settings.push
        self.patience = patience
        self.pause = pause
        self.logger = logger
        (listening, listener) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// To be called when the manager's pushes will be heard.
    @Sendable package func begin() { listener.yield() }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in listening {
                await ask()
                break
            }
        }
        // A service that returns ends all others.
        try? await gracefulShutdown()
    }

    /// 1 s, twice as long each time, at most a minute; up to half of it is left to chance, so that a thousand hosts don't ask at once.
    @Sendable package static func pause(after failures: Int) -> Duration {
        .seconds(min(60, 1 << min(failures - 1, 6))) * Double.random(in: 0.5...1)
    }

    private func ask() async {
        let request = Alcor_Schema_HostRequest.with {
            $0.formatVersion = 1
            $0.stateRequests = [
                .with {
                    $0.requestType = .agentRestarted
                    // The same each time, for it is the same request.
                    $0.requestID = UUID().uuidString.lowercased()
                    $0.sourceIp = host.address
                }
            ]
        }
        var failures = 0
        while !Task.isCancelled {
            do {
                let reply = try await send(request)
                let statuses = reply.operationStatuses.map(\.operationStatus)
                if statuses.allSatisfy({ $0 == .success || $0 == .pending }) {
                    logger.info("alcor: \(manager) was asked for this host's goal states")
                    return
                }
                throw Refused(statuses: statuses)
            } catch {
                failures += 1
                guard !Task.isCancelled else { return }
                let reason = (error as? RPCError).map { "\($0.code): \($0.message)" } ?? "\(error)"
                // The first says it; the others would only say it again.
                logger.log(
                    level: failures == 1 ? .warning : .debug,
                    "alcor: \(manager) can't be asked for this host's goal states, and is asked again: \(reason)")
                try? await ContinuousClock().sleep(for: pause(failures))
            }
        }
    }

    private struct Refused: Error, CustomStringConvertible {
        var statuses: [Alcor_Schema_OperationStatus]
        var description: String { "it answered " + statuses.map(\.word).joined(separator: ", ") }
    }

    private func send(_ request: Alcor_Schema_HostRequest) async throws -> Alcor_Schema_HostRequestReply {
        let transport = try HTTP2ClientTransport.Posix(target: target, transportSecurity: security)
        return try await withGRPCClient(transport: transport) { client in
            var options = CallOptions.defaults
            options.timeout = patience
            return try await Alcor_Schema_GoalStateProvisioner.Client(wrapping: client).requestGoalStates(request, options: options)
        }
    }

    private var target: any ResolvableTarget {
        let colon = manager.lastIndex(of: ":") ?? manager.endIndex
        let name = manager[..<colon].trimmingPrefix("[").prefix { $0 != "]" }
        let port = Int(manager[colon...].dropFirst()) ?? 9016
        return switch try? IPAddress(parsing: name) {
        case .v4: .ipv4(address: String(name), port: port)
        case .v6: .ipv6(address: String(name), port: port)
        case nil: .dns(host: String(name), port: port)
        }
    }

    /// As at the push port: what the manager's pushes are protected by protects the request for them.
    private var security: HTTP2ClientTransport.Posix.TransportSecurity {
        guard !push.plaintext else { return .plaintext }
        return .mTLS(
            certificateChain: [.file(path: push.certificate, format: .pem)], privateKey: .file(path: push.key, format: .pem)
        ) { tls in
            tls.trustRoots = .certificates([.file(path: push.clientCA, format: .pem)])
        }
    }
}
