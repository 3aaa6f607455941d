import HostNetwork
import Kernel
import Logging
import ServiceLifecycle

/// Tells the reconciler of pods' interfaces that the kernel took away, as it does when a pod's namespace ends.
struct LinkWatch: Service {
    let ours: UInt32
    let reconciler: Reconciler
    let logger: Logger

    func run() async throws {
        let events = try LinkEvents.stream(in: try NetworkNamespace.current(), except: [ours])
        await cancelWhenGracefulShutdown {
            for await event in events {
                switch event {
                case .gone(let link): reconciler.linkGone(link)
                case .missed:
                    logger.warning("events of the kernel were missed: the host is read again")
                    reconciler.disturbed()
                // What others change on an interface that stays is seen by `hawser resync`.
                case .became, .changed: continue
                }
            }
        }
    }
}
