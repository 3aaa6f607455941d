import NIOCore
import Synchronization

/// How fast each client's frames are taken: so many at once, and so many a second from then on. Those that may do everything aren't slowed.
///
/// A frame costs the same whatever is in it, and every connection of an event loop waits while it is taken.
final class FramePace: Sendable {
    private struct Account {
        /// Below zero: so many were taken in advance.
        var left: Double
        var since: NIODeadline
    }

    static let atOnce = 20_000
    static let eachSecond = 5_000
    private let accounts = Mutex<[Budget.Client: Account]>([:])

    /// Counts frames that were taken. Returns how long none of this client's may be taken now.
    func charge(_ frames: Int, to client: Budget.Client, now: NIODeadline = .now()) -> TimeAmount {
        guard !client.isPrivileged, frames > 0 else { return .zero }
        return accounts.withLock { accounts in
            // Full accounts say nothing.
            if accounts.count > 1024 { accounts = accounts.filter { Self.left($0.value, now) < Double(Self.atOnce) } }
            let left = (accounts[client].map { Self.left($0, now) } ?? Double(Self.atOnce)) - Double(frames)
            accounts[client] = Account(left: left, since: now)
            return left < 0 ? .nanoseconds(Int64(-left / Double(Self.eachSecond) * 1e9)) : .zero
        }
    }

    private static func left(_ account: Account, _ now: NIODeadline) -> Double {
        let seconds = Double(max(0, (now - account.since).nanoseconds)) / 1e9
        return min(Double(atOnce), account.left + seconds * Double(eachSecond))
    }
}
