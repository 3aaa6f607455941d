import Foundation
import HawserAPI
import HostNetwork
import Kernel
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Tells the reconciler of namespaces that appear and go.
struct NamespaceService: Service {
    let namespaces: NamespaceWatch
    let reconciler: any Reconciling

    func run() async {
        await namespaces.run { await reconciler.namespaceChanged($0) }
    }
}

/// Tells the reconciler which addresses and on-link prefixes the host itself has by now.
struct HostPlacesService: Service {
    let changes: AsyncStream<HostPlaces>
    let reconciler: Reconciler

    func run() async throws {
        for await places in changes.cancelOnGracefulShutdown() { reconciler.hostChanged(places) }
        // A service that returns ends all others.
        try? await gracefulShutdown()
    }
}

/// Ends the daemon when the helper that names namespaces has ended: without it no isolated network comes or
/// goes, and a daemon that is confined can't make another. The next one has a new helper, and finds
/// everything as this one leaves it.
struct NamesService: Service {
    let names: NamespaceNames
    let journal: Journal
    let logger: Logger

    func run() async throws {
        for await how in names.ends.cancelOnGracefulShutdown() {
            let error = NamesEnded(how: how)
            logger.critical("\(error)")
            journal.record(EventView(kind: "daemon", id: "hawserd", event: "failed", reason: "\(error)"))
            throw error
        }
        // There was none, or the daemon ends anyway.
        try? await gracefulShutdown()
    }
}

struct NamesEnded: Error, CustomStringConvertible {
    let how: String
    var description: String {
        "the helper that names namespaces is gone (\(how)), and hawserd ends: the next one has another"
    }
}

/// Begins the end: the first to be told of a shutdown.
struct EndService: Service {
    let journal: Journal
    let manager: ServiceManager?
    let logger: Logger
    let deadline: Deadline

    func run() async throws {
        try? await gracefulShutdown()
        logger.info("ending")
        await manager?.say("STOPPING=1")
        // Followers would keep the debug socket open for ever.
        journal.record(EventView(kind: "daemon", id: "hawserd", event: "ending"))
        journal.close()
        // A kernel call that doesn't return must not keep the process: what it does is whole or not at all, with or without us.
        deadline.start { [logger] in
            logger.warning("something still runs: it is left behind")
            exit(0)
        }
    }
}

/// Does something after a time, unless it is called off.
final class Deadline: Sendable {
    private struct State {
        var scheduled: Scheduled<Void>?
        var isOff = false
    }

    private let time: TimeAmount
    private let state = Mutex(State())

    init(_ time: TimeAmount) { self.time = time }

    convenience init(_ time: Duration) { self.init(.nanoseconds(Int64(time / .nanoseconds(1)))) }

    func start(_ action: @escaping @Sendable () -> Void) {
        state.withLock { state in
            guard !state.isOff else { return }
            state.scheduled = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: time, action)
        }
    }

    /// Also when it isn't started yet.
    func cancel() {
        state.withLock { state in
            state.isOff = true
            state.scheduled?.cancel()
        }
    }
}

/// Proves to systemd that the reconciler isn't stuck, for as long as that is so.
struct WatchdogService: Service {
    let manager: ServiceManager
    let reconciler: any Reconciling
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await manager.keepAlive { [reconciler, logger] in
                // Whoever is asked answers in time, and a question that isn't answered is what death is told by.
                _ = await reconciler.status()
                guard let reason = reconciler.liveness() else { return true }
                logger.critical("not alive: \(reason)")
                return false
            }
        }
        // Without a watchdog there is nothing to do until the end, and a service that returns ends all others.
        try? await gracefulShutdown()
    }
}

/// Does something once a number of others have arrived.
struct Countdown: Service {
    private let arrivals: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let count: Int
    private let finally: @Sendable () async -> Void

    init(_ count: Int, finally: @escaping @Sendable () async -> Void) {
        (arrivals, continuation) = AsyncStream.makeStream()
        self.count = count
        self.finally = finally
    }

    @Sendable func arrive() { continuation.yield() }

    func run() async throws {
        var left = count
        for await _ in arrivals.cancelOnGracefulShutdown() {
            left -= 1
            if left == 0 { await finally() }
        }
    }
}
