import CLinux

/// The processor that a thread runs on.
package enum Processor {
    /// Runs `body` without moving to another processor.
    ///
    /// What a thread sends into a veth pair waits in a queue of its processor (`enqueue_to_backlog`, net/core/dev.c), so packets that go
    /// the same way keep their order for as long as they are sent from one processor.
    package static func staying<Result>(_ body: () throws -> Result) throws -> Result {
        var before = [UInt8](repeating: 0, count: 1024)
        let count = unsafe before.withUnsafeMutableBufferPointer { unsafe hawser_get_processors($0.baseAddress, 1024) }
        let number = Int(hawser_processor())
        guard count > 0, number >= 0 else { throw .current("sched_getaffinity") as LabError }
        var only = [UInt8](repeating: 0, count: 1024)
        only[number / 8] = 1 << UInt8(number % 8)
        guard set(only) else { throw .current("sched_setaffinity") as LabError }
        defer { _ = set(Array(before.prefix(Int(count)))) }
        return try body()
    }

    private static func set(_ processors: [UInt8]) -> Bool {
        unsafe processors.withUnsafeBufferPointer { unsafe hawser_set_processors($0.baseAddress, UInt($0.count)) } >= 0
    }
}
