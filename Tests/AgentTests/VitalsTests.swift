import Dispatch
import OwnThreads
import Testing

@testable import Agent

@Suite("A step that takes its time", .ownThreads) struct VitalsTests {
    private actor Worker {
        private let thread: OwnThread
        nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

        init(_ thread: OwnThread) { self.thread = thread }

        func work(until end: DispatchSemaphore) { end.wait() }
    }

    @Test("is nothing to speak of, then keeps the host from being ready, then is death, and nothing again when it is over")
    func told() async {
        let thread = OwnThread("test")
        let vitals = Vitals(thread, Patience(ready: .seconds(10), alive: .seconds(60), answer: .seconds(2)))
        #expect(vitals.trouble() == nil && vitals.death() == nil)
        let (worker, end) = (Worker(thread), DispatchSemaphore(value: 0))
        async let work: Void = worker.work(until: end)
        while thread.busy() == nil { await Task.yield() }
        // It began between the two.
        let (early, late) = (ContinuousClock.now - (thread.busy() ?? .zero), ContinuousClock.now)
        #expect(vitals.trouble(at: early + .seconds(9)) == nil)
        #expect(vitals.trouble(at: late + .seconds(11))?.contains("at one step for") == true)
        #expect(vitals.death(at: early + .seconds(59)) == nil)
        #expect(vitals.death(at: late + .seconds(61))?.contains("at one step for") == true)
        end.signal()
        await work
        while thread.busy() != nil { await Task.yield() }
        #expect(vitals.trouble(at: late + .seconds(61)) == nil && vitals.death(at: late + .seconds(61)) == nil)
    }
}
