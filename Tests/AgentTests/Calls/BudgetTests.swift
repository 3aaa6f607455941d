import PolicyModel
import Synchronization
import Testing

@testable import Agent

@Suite("A budget") struct BudgetTests {
    private static let root = Budget.Client(name: "root", isPrivileged: true)
    private static func other(_ name: String) -> Budget.Client { Budget.Client(name: name, isPrivileged: false) }

    /// What was granted later, in order.
    private final class Granted: Sendable {
        private let names = Mutex<[String]>([])
        var all: [String] { names.withLock { $0 } }
        func note(_ name: String) -> @Sendable () -> Void { { self.names.withLock { $0.append(name) } } }
    }

    @Test("grants what fits, makes the rest wait in its order, and nobody who is privileged for anybody else")
    func order() {
        let (budget, granted) = (Budget(.init(privileged: 10, others: 10, each: 6)), Granted())
        let first = budget.claim(6, for: Self.other("a"), granted: granted.note("a1"))
        let second = budget.claim(1, for: Self.other("a"), granted: granted.note("a2"))
        let third = budget.claim(5, for: Self.other("b"), granted: granted.note("b1"))
        let fourth = budget.claim(4, for: Self.other("c"), granted: granted.note("c1"))
        #expect([first, second, third, fourth].map(\.isGranted) == [true, false, false, false], "c doesn't pass b, who was there before")
        #expect(budget.claim(10, for: Self.root, granted: granted.note("root")).isGranted)
        budget.release(first.claim)
        #expect(granted.all == ["a2", "b1", "c1"])
        // Twice does no harm.
        budget.release(first.claim)
        #expect(budget.used == 20)
    }

    @Test("grants what is more than everything when nothing else is under way, and forgets who doesn't wait any more")
    func large() {
        let (budget, granted) = (Budget(.init(privileged: 10, others: 10, each: 6)), Granted())
        let large = budget.claim(50, for: Self.other("a"), granted: granted.note("large"))
        #expect(large.isGranted)
        let (gone, next) = (
            budget.claim(1, for: Self.other("b"), granted: granted.note("gone")),
            budget.claim(2, for: Self.other("c"), granted: granted.note("next"))
        )
        budget.release(gone.claim)
        budget.release(large.claim)
        #expect(granted.all == ["next"] && budget.used == 2)
        budget.release(next.claim)
        #expect(budget.used == 0)
    }

    @Test("gives back what a task claimed that is cancelled while it waits")
    func cancelled() async throws {
        let budget = Budget(.init(privileged: 10, others: 10, each: 6))
        let claim = try await budget.claim(10, for: Self.root)
        let waiting = Task { try await budget.claim(5, for: Self.root) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        budget.release(claim)
        #expect(budget.used == 0)
    }

    @Test("never grants more than it has, and ends with nobody waiting, whatever is claimed and given back", arguments: 0..<20)
    func law(seed: Int) {
        var random = Seeded(seed)
        let limits = Budget.Limits(privileged: 100, others: 60, each: 30)
        let budget = Budget(limits)
        let late = Mutex<Set<Int>>([])
        var open: [Int: (client: Budget.Client, amount: Int, claim: Budget.Claim)] = [:]
        var granted: Set<Int> = []
        func check() {
            granted.formUnion(late.withLock { $0 })
            for isPrivileged in [true, false] {
                let those = open.filter { granted.contains($0.key) && $0.value.client.isPrivileged == isPrivileged }.values.map(\.amount)
                let limit = isPrivileged ? limits.privileged : limits.others
                #expect(those.reduce(0, +) <= limit || those.count == 1, "\(those)")
            }
        }
        for number in 0..<400 {
            if Bool.random(using: &random) || open.isEmpty {
                let name = Int.random(in: 0..<4, using: &random)
                let client = Budget.Client(name: "\(name)", isPrivileged: name == 0)
                let amount = Int.random(in: 1...(number % 20 == 0 ? 200 : 25), using: &random)
                let (claim, isGranted) = budget.claim(amount, for: client) { late.withLock { _ = $0.insert(number) } }
                open[number] = (client, amount, claim)
                if isGranted { granted.insert(number) }
            } else if let number = open.keys.sorted().randomElement(using: &random), let gone = open.removeValue(forKey: number) {
                budget.release(gone.claim)
            }
            check()
        }
        while let number = open.keys.sorted().first(where: { granted.contains($0) }), let gone = open.removeValue(forKey: number) {
            budget.release(gone.claim)
            check()
        }
        #expect(open.isEmpty && budget.used == 0, "\(open.count) wait for ever")
    }
}

@Suite("A tally") struct TallyTests {
    @Test("counts for each client and for all others together, and says when it is too much")
    func limits() {
        let tally = Tally(.init(privileged: 10, others: 10, each: 6))
        let (root, a, b) = (
            Budget.Client(name: "root", isPrivileged: true), Budget.Client(name: "a", isPrivileged: false),
            Budget.Client(name: "b", isPrivileged: false)
        )
        #expect(tally.add(6, of: a) && !tally.add(1, of: a))
        #expect(!tally.add(4, of: b), "ten of all others, and one too much of a")
        tally.remove(1, of: a)
        #expect(tally.add(0, of: b) && tally.add(10, of: root) && !tally.add(1, of: root))
    }
}
