import Foundation
import HostNetwork
import OwnThreads
import Synchronization
import Testing

@testable import Agent

@Suite("The doctor", .timeLimit(.minutes(60)), .ownThreads) struct DoctorTests {
    /// A look that waits until it is let go, and counts.
    private final class Looks: Sendable {
        private let state = Mutex<(begun: Int, under: Int, most: Int)>((0, 0, 0))
        let gate = DispatchSemaphore(value: 0)

        var begun: Int { state.withLock { $0.begun } }
        /// How many were under way at once.
        var most: Int { state.withLock { $0.most } }

        func look() -> [Check] {
            let number = state.withLock { state in
                state.begun += 1
                state.under += 1
                state.most = max(state.most, state.under)
                return state.begun
            }
            gate.wait()
            state.withLock { $0.under -= 1 }
            return [Check("look \(number)")]
        }
    }

    @Test(
        "looks once more for all who ask while it is looking, and never twice at a time"
    )
    func together() async throws {
        let (doctor, looks) = (Doctor(), Looks())
        try await withThrowingTaskGroup(of: [Check].self) { group in
            group.addTask { await doctor.examine(looks.look) }
            while looks.begun == 0 { await Task.yield() }
            for _ in 0..<100 { group.addTask { await doctor.examine(looks.look) } }
            while doctor.waiting < 100 { await Task.yield() }
            for _ in 0..<2 { looks.gate.signal() }
            var answers: [String: Int] = [:]
            for try await checks in group { answers[checks[0].id, default: 0] += 1 }
            #expect(answers == ["look 1": 1, "look 2": 100])
        }
        #expect(looks.begun == 2 && looks.most == 1)
        // And again, when nobody has asked for a while.
        looks.gate.signal()
        #expect(await doctor.examine(looks.look).map(\.id) == ["look 3"])
    }
}
