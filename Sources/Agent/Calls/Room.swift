/// A part of a budget, held as long as this is.
final class Room: Sendable {
    private let claim: Budget.Claim
    private let budget: Budget

    /// Waits for it. Throws `CancellationError`.
    init(for amount: Int, in budget: Budget, of client: Budget.Client) async throws {
        claim = try await budget.claim(amount, for: client)
        self.budget = budget
    }

    /// - Parameter claim: what is granted already, or waited for; it is given back in either case.
    init(_ claim: Budget.Claim, in budget: Budget) { (self.claim, self.budget) = (claim, budget) }

    deinit { budget.release(claim) }
}
