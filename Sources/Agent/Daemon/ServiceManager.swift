import Foundation
import NIOCore
import NIOPosix

/// Tells systemd how the daemon is doing: lines to the datagram socket that `NOTIFY_SOCKET` names (sd_notify(3)).
package struct ServiceManager: Sendable {
    private let channel: any Channel
    /// Systemd wants a word within this time (`WATCHDOG_USEC`); nil: it doesn't watch.
    package let watchdog: Duration?

    /// Nil when nobody wants to know, or the socket can't be used.
    package init?(environment: [String: String] = ProcessInfo.processInfo.environment) async {
        // An abstract address begins with '@'; systemd itself uses a path.
        guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") else { return nil }
        let connecting = DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(unixDomainSocketPath: path)
        guard let channel = try? await connecting.get() else { return nil }
        self.channel = channel
        watchdog = environment["WATCHDOG_USEC"].flatMap(Int64.init).map { .microseconds($0) }
    }

    package func say(_ lines: String...) async {
        try? await channel.writeAndFlush(ByteBuffer(string: lines.joined(separator: "\n"))).get()
    }

    /// Says that all is well, twice in each period, as long as `isAlive` answers; until the task is cancelled.
    package func keepAlive(_ isAlive: @escaping @Sendable () async -> Bool) async {
        guard let watchdog else { return }
        let period = TimeAmount.nanoseconds(Int64(watchdog / .nanoseconds(2)))
        let loop = channel.eventLoop
        let ticks = loop.scheduleRepeatedAsyncTask(initialDelay: period, delay: period) { _ in
            loop.makeFutureWithTask { if await isAlive() { await say("WATCHDOG=1") } }
        }
        let (never, end) = AsyncStream.makeStream(of: Never.self)
        for await _ in never {}  // ends when the task is cancelled
        end.finish()
        ticks.cancel()
    }

    package func close() async { try? await channel.close().get() }
}
