import Foundation
import HawserAPI
import HostNetwork
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import NIOFoundationCompat
import ServiceLifecycle

/// The debug socket: HTTP and JSON, read-only. Who may connect is decided by the socket's permissions.
package struct DebugServer: Service {
    private let file: SocketFile
    private let reconciler: any Reconciling
    private let journal: Journal
    private let push: PushMeter
    private let logger: Logger
    private let limits: SocketClients.Limits
    private let bounds: CallBounds
    private let onListening: @Sendable () -> Void

    package init(
        _ settings: Settings.Socket, reconciler: any Reconciling, journal: Journal, push: PushMeter = PushMeter(), logger: Logger,
        limits: SocketClients.Limits = SocketClients.Limits(), bounds: CallBounds = CallBounds(),
        onListening: @escaping @Sendable () -> Void = {}
    ) {
        file = SocketFile(settings)
        self.reconciler = reconciler
        self.journal = journal
        self.push = push
        self.logger = logger
        self.limits = limits
        self.bounds = bounds
        self.onListening = onListening
    }

    package func run() async throws {
        try await file.prepare()
        defer { file.remove() }
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)  // the library reports every start and stop as news
        let clients = SocketClients(of: "debug", limits, logger: logger)
        // Nobody who asks for something has more to say.
        let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 16 << 10, maxHeaderFieldCount: 64)
        let application = Application(
            router: router(clients),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ClientAdmission(clients)], idleTimeout: limits.idle, httpDecoderConfiguration: decoder)),
            configuration: ApplicationConfiguration(address: .unixDomainSocket(path: file.path)),
            onServerRunning: { [file, logger, onListening] channel in
                try? await AcceptPause.add(to: channel).get()
                file.openToGroup(logger)
                logger.info("debug: listening on \(file.path)")
                onListening()
            },
            logger: quiet)
        try await application.run()
    }

    private func router(_ clients: SocketClients) -> Router<DebugContext> {
        let router = Router(context: DebugContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ReadOnly())
        router.add(middleware: AnswerTurns(clients: clients, bounds: bounds))
        router.get("/v1/status") { [reconciler, push] _, _ in
            var status = await reconciler.status()
            status.push = push.view
            return Response.json(status)
        }
        router.get("/v1/pods") { [reconciler] _, _ in Response.json(await reconciler.pods()) }
        router.get("/v1/pods/**") { [reconciler] request, _ in
            let id = request.uri.path.id(after: "/v1/pods/")
            return Response.json(await reconciler.view(of: ID<Pod>(id)), orMissing: "pod", id)
        }
        router.get("/v1/groups") { [reconciler] _, _ in Response.json(await reconciler.groups()) }
        router.get("/v1/groups/**") { [reconciler] request, _ in
            let id = request.uri.path.id(after: "/v1/groups/")
            return Response.json(await reconciler.view(of: ID<SecurityGroup>(id)), orMissing: "group", id)
        }
        router.get("/v1/networks") { [reconciler] _, _ in Response.json(await reconciler.networks()) }
        router.get("/v1/networks/**") { [reconciler] request, _ in
            let id = request.uri.path.id(after: "/v1/networks/")
            return Response.json(await reconciler.view(of: ID<Network>(id)), orMissing: "network", id)
        }
        router.get("/v1/neighbors") { [reconciler] _, _ in Response.json(await reconciler.neighbors()) }
        router.get("/v1/rules/**") { [reconciler] request, _ in
            let id = request.uri.path.id(after: "/v1/rules/")
            return Response.json(await reconciler.rules(of: id), orMissing: "pod", id)
        }
        router.get("/v1/explain") { [reconciler] request, _ in
            do {
                return Response.json(try await reconciler.explain(try ExplainQuery(request.uri.queryParameters)))
            } catch let error as NoQuestion {
                return Response.error(.badRequest, "\(error)")
            } catch let error as Unanswerable {
                if case .unknown = error { return Response.error(.notFound, "\(error)") }
                return Response.error(.badRequest, "\(error)")
            } catch let error as Unasked {
                return Response.error(.serviceUnavailable, "\(error)")
            }
        }
        router.get("/v1/doctor") { [reconciler] _, _ in Response.json(await reconciler.examine()) }
        router.get(RouterPath(EventStream.path)) { [journal, bounds] request, context in
            EventStream.response(to: request, context, journal, (try await clients.account(of: context.channel), bounds.overhead))
        }
        router.get("/healthz") { [reconciler] _, _ in
            // A question that isn't answered in time is one of the things that death is told by.
            _ = await reconciler.status()
            guard let reason = reconciler.liveness() else { return Response.text(.ok, "ok\n") }
            return Response.text(.serviceUnavailable, reason + "\n")
        }
        router.get("/readyz") { [reconciler] _, _ in
            let status = await reconciler.status()
            return status.ready ? Response.text(.ok, "ok\n") : Response.text(.serviceUnavailable, (status.reason ?? "not ready") + "\n")
        }
        return router
    }
}

/// Nothing is changed through this socket, and whoever tries is told where to.
private struct ReadOnly: RouterMiddleware {
    typealias Context = DebugContext

    @concurrent func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard !request.hasMuchToSay else {
            // Or it would be read to its end, and thrown away.
            context.channel.close(promise: nil)
            return .error(.contentTooLarge, "nothing here wants a body")
        }
        guard request.method == .get || request.method == .head else {
            var refusal = Response.error(
                .methodNotAllowed, "this socket is for reading: change things with hawser apply, over the control socket")
            refusal.headers[.allow] = "GET, HEAD"
            return refusal
        }
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            let paths =
                "/v1/status, /v1/pods, /v1/groups, /v1/networks, /v1/neighbors, /v1/rules/{pod}, /v1/explain, "
                + "/v1/doctor, /v1/events"
            return .error(.notFound, "there is no \(request.uri.path); see \(paths)")
        }
    }
}

extension Request {
    /// Whether it comes with a body that isn't there by mistake: a long one, or one of any length.
    fileprivate var hasMuchToSay: Bool {
        if headers[.transferEncoding] != nil { return true }
        guard let length = headers[.contentLength] else { return false }
        return Int(length).map { $0 > 64 << 10 } ?? true
    }
}

extension ExplainQuery {
    /// `?pod=web-0&direction=ingress&remote=10.1.0.20`, and protocol, port, sourcePort, icmpType.
    init(_ parameters: some Sequence<(key: Substring, value: Substring)>) throws(NoQuestion) {
        var values: [String: String] = [:]
        let known = ["pod", "direction", "remote", "protocol", "port", "sourcePort", "icmpType"]
        for (name, value) in parameters {
            guard known.contains(String(name)) else {
                throw NoQuestion("there is no parameter \(name): it is one of \(known.joined(separator: ", "))")
            }
            values[String(name)] = String(value)
        }
        for name in known.prefix(3) where values[name] == nil { throw NoQuestion("the parameter \(name) is missing") }
        self.init(
            pod: values["pod"] ?? "", direction: values["direction"] ?? "", remote: values["remote"] ?? "", protocol: values["protocol"],
            port: values["port"], sourcePort: values["sourcePort"], icmpType: values["icmpType"])
    }
}

extension String {
    /// The id that a path ends with; a '/' in it may stand as it is or percent-encoded.
    func id(after prefix: String) -> String {
        let rest = String(dropFirst(prefix.count))
        return rest.removingPercentEncoding ?? rest
    }
}
