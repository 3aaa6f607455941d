import Foundation
import HawserAPI
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
        watchdog = Self.watchdog(environment["WATCHDOG_USEC"])
    }

    /// Nil for what isn't a time, and 0, which is none.
    static func watchdog(_ text: String?) -> Duration? {
        // A year is as good as any time beyond, and can be counted in nanoseconds.
        text.flatMap(UInt64.init).flatMap { $0 > 0 ? .microseconds(Int64(min($0, 31_536_000_000_000))) : nil }
    }

    package func say(_ lines: String...) async {
        // Each is one assignment: what an error quotes must not look like another.
        let text = lines.map(\.printableLine).joined(separator: "\n")
        try? await channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    /// Says that all is well, twice in each period, as long as `isAlive` answers; until the task is cancelled.
    package func keepAlive(_ isAlive: @escaping @Sendable () async -> Bool) async {
        guard let watchdog else { return }
        let period = TimeAmount.nanoseconds(max(1, Int64(watchdog / .nanoseconds(2))))
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
