import CLinux
import Glibc
import HawserAPI
package import Logging
import NIOCore
package import ServiceLifecycle
package import Store
import UnixSignals

/// Everything around the reconciler: settings become a store, watchers and servers, that run until SIGTERM.
package enum Daemon {
    /// What the reconciler is made with.
    package struct Parts: Sendable {
        package let settings: Settings
        package let store: Store
        package let journal: Journal
        /// To be told of every path of a namespace that matters (`NamespaceWatch.follow`).
        package let namespaces: NamespaceWatch
        package let logger: Logger
    }

    /// A reconciler that has loaded the stored intents and brought the host to them, and what it wants to run.
    package struct Running: Sendable {
        let reconciler: any Reconciling
        let services: [any Service]

        package init(_ reconciler: any Reconciling, services: [any Service] = []) {
            self.reconciler = reconciler
            self.services = services
        }
    }

    /// Longest time from SIGTERM to the end: what hasn't ended by then is left where it is. Five seconds are promised.
    private static let patience = TimeAmount.milliseconds(4500)

    /// Returns when the daemon has shut down; the data plane stays as it is.
    package static func run(
        _ loaded: SettingsLoader.Loaded, makeReconciler: @Sendable (Parts) async throws -> Running
    ) async throws {
        let settings = loaded.settings
        let logger = Logger(label: "hawserd") { LineLog(label: $0, settings.log) }
        for note in loaded.notes { logger.warning("\(note)") }
        // No file of the daemon is for everybody; its sockets are for the daemon's own user until they are given to their group.
        _ = umask(0o027)
        // A socket in each pod's namespace.
        hawser_raise_files()
        let lock = try StateLock(directory: settings.state.directory)
        defer { withExtendedLifetime(lock) {} }

        let journal = Journal()
        let parts = Parts(
            settings: settings, store: try Store.open(path: settings.state.database), journal: journal, namespaces: try NamespaceWatch(),
            logger: logger)
        let running = try await makeReconciler(parts)
        let manager = await ServiceManager()
        journal.record(EventView(kind: "daemon", id: "hawserd", event: "started", reason: "version \(hawserVersion)"))

        let deadline = Deadline(patience)
        defer { deadline.cancel() }
        let all = configuration(try services(parts, running, manager, deadline), logger)
        let group = ServiceGroup(configuration: all.endingInOrder(with: NamesService.self))
        do {
            try await group.run()
        } catch {
            await manager?.say("STOPPING=1", "STATUS=\(error)")
            await manager?.close()
            throw error
        }
        await manager?.close()
        logger.info("ended; the data plane stays as it is")
    }

    /// In the order of their start; they end in the reverse order, each waiting for the one after it.
    private static func services(
        _ parts: Parts, _ running: Running, _ manager: ServiceManager?, _ deadline: Deadline
    ) throws -> [any Service] {
        let settings = parts.settings
        let (logger, journal, reconciler) = (parts.logger, parts.journal, running.reconciler)
        let meter = PushMeter()
        let bounds = CallBounds(mostBytes: max(64 << 20, settings.push.maxMessage), patience: TimeAmount(settings.push.keepalive))
        let alcor = AlcorDesk(settings, reconciler: reconciler, logger: logger)
        let pushed = PushServices(reconciler: reconciler, journal: journal, settings: settings, alcor: alcor)
        // What asks to be pushed to must be heard.
        let alcorManager = settings.push.isOn ? AlcorManager(settings, logger: logger) : nil
        let listening = Countdown(settings.push.isOn ? 3 : 2) {
            logger.info("hawserd \(hawserVersion) listens")
            await manager?.say("READY=1", "STATUS=listening")
        }
        var services = running.services
        services.append(NamespaceService(namespaces: parts.namespaces, reconciler: reconciler))
        if !settings.intents.directory.isEmpty {
            services.append(
                IntentsFolder(
                    path: settings.intents.directory, store: parts.store, reconciler: reconciler, journal: journal, logger: logger,
                    isAlone: !settings.push.isOn))
        }
        services.append(
            ControlServer(
                settings.control, reconciler: reconciler, logger: logger, bounds: bounds, onListening: listening.arrive,
                services: { pushed($0) }))
        services.append(
            DebugServer(
                settings.debug, reconciler: reconciler, journal: journal, push: meter, logger: logger, bounds: bounds,
                onListening: listening.arrive))
        if settings.push.isOn {
            services.append(
                try PushServer(
                    settings.push, bounds: bounds, meter: meter, logger: logger,
                    onListening: {
                        listening.arrive()
                        alcorManager?.begin()
                    }, services: { pushed($0) }))
        } else {
            logger.notice("push: off: neither push.certificate nor push.plaintext is set, or push.listen is empty")
        }
        if let alcorManager { services.append(alcorManager) }
        services.append(listening)
        services.append(EndService(journal: journal, manager: manager, logger: logger, deadline: deadline))
        if let manager { services.append(WatchdogService(manager: manager, reconciler: reconciler, logger: logger)) }
        return services
    }

    private static func configuration(_ services: [any Service], _ logger: Logger) -> ServiceGroupConfiguration {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        var configuration = ServiceGroupConfiguration(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(3)
        return configuration
    }
}

extension ServiceGroupConfiguration {
    /// With an end as at SIGTERM where a service of a kind fails: what is under way is done first.
    fileprivate func endingInOrder(with kind: any Service.Type) -> ServiceGroupConfiguration {
        var configuration = self
        for index in services.indices where type(of: services[index].service) == kind {
            configuration.services[index].failureTerminationBehavior = .gracefullyShutdownGroup
        }
        return configuration
    }
}
