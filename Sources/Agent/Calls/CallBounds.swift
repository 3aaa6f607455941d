import GRPCCore
package import NIOCore
import Synchronization

/// What all calls together may take of the daemon's memory, whichever door they come through.
package final class CallBounds: Sendable {
    /// Bytes of messages from their first until they are read; of small ones apart, so that they don't wait for large ones.
    private let largeMessages: Budget
    private let smallMessages = Budget(Budget.Limits(privileged: 32 << 20, others: 32 << 20, each: 2 << 20))
    /// Bytes that come unasked, and what calls and frames that nobody reads cost besides.
    let overhead: Tally
    /// Values of messages from their reading until their answer; the same.
    private let manyValues: Budget
    private let fewValues = Budget(Budget.Limits(privileged: 256 << 10, others: 256 << 10, each: 16 << 10))
    /// Values of snapshots that aren't whole yet.
    let pieces: Tally
    /// Dry runs at a time, for which whoever is to change something waits.
    let rehearsals = Budget(Budget.Limits(privileged: 1, others: 1, each: 1))
    /// Answers of the debug socket at a time, until they are read: each lists all pods, or as much.
    let answers = Budget(Budget.Limits(privileged: 8, others: 8, each: 2))
    let pace = FramePace()
    /// How long a client may leave its answers unread.
    let patience: TimeAmount
    private let calls = Mutex<[UInt64: Call]>([:])
    private let numbers = Atomic<UInt64>(0)

    /// Of one message or snapshot: of a client that may push everything, and of another.
    static let mostValues = 2_000_000
    static let mostRestrictedValues = 250_000
    /// How large a message is that doesn't wait for larger ones: bytes, and values.
    private static let small = (bytes: 64 << 10, values: 4 << 10)
    /// What an open call costs, a frame that waits to be read, and events that wait for a client; bytes, roughly.
    static let callCost = 16 << 10
    static let frameCost = 256
    static let followerCost = 768 << 10

    /// - Parameter mostBytes: of a message.
    package init(mostBytes: Int = 64 << 20, patience: TimeAmount = .seconds(60)) {
        largeMessages = Budget(Budget.Limits(most: mostBytes))
        overhead = Tally(Budget.Limits(privileged: 64 << 20, others: 64 << 20, each: 16 << 20))
        manyValues = Budget(
            Budget.Limits(privileged: Self.mostValues, others: 2 * Self.mostRestrictedValues, each: Self.mostRestrictedValues))
        pieces = Tally(
            Budget.Limits(privileged: 2 * Self.mostValues, others: 2 * Self.mostRestrictedValues, each: Self.mostRestrictedValues))
        self.patience = patience
    }

    /// Where a message's bytes count.
    func messages(of length: Int) -> Budget { length <= Self.small.bytes ? smallMessages : largeMessages }

    /// Where a message's values count.
    func values(for count: Int) -> Budget { count <= Self.small.values ? fewValues : manyValues }

    // MARK: Calls

    /// The header by which a call is known to those who serve it. A connection's own comes after whatever a client says.
    static let header = "hawser-call"

    func number() -> UInt64 { numbers.wrappingAdd(1, ordering: .relaxed).newValue }

    func begin(_ call: Call) { calls.withLock { $0[call.number] = call } }

    func end(_ call: Call) {
        calls.withLock { $0[call.number] = nil }
        call.end()
    }

    func call(of metadata: Metadata) -> Call? {
        var last: String?
        for value in metadata[stringValues: Self.header] { last = value }
        return last.flatMap { UInt64($0) }.flatMap { number in calls.withLock { $0[number] } }
    }
}
