import HostNetwork
import Netlink
import SystemPackage

extension LinkTable {
    /// Takes steps, and answers those that weren't taken.
    ///
    /// The steps of one pair, on one of its sides, are taken in the order given; steps of different pairs, and of the two sides, go
    /// together in as few messages as possible. A refused step doesn't keep the others from being tried, but for those that stand on
    /// a pair that couldn't be made.
    ///
    /// What is there already as wanted, or gone already, isn't refused. These rules are the kernel's: a route wants its end up; an end that
    /// goes down loses its routes, its neighbors and its IPv6 addresses.
    package mutating func apply(_ steps: [LinkStep]) -> [LinkRefusal] {
        var isUncertain = false
        return apply(steps, &isUncertain)
    }

    /// The same; `isUncertain` becomes true when the kernel didn't say what became of some of them.
    mutating func apply(_ steps: [LinkStep], _ isUncertain: inout Bool) -> [LinkRefusal] {
        var pass = LinkPass(steps)
        for round in Round.all(of: steps) {
            edit(round.before, &pass)
            for some in round.removed.pieces(of: Self.mostRemoved) { remove(some, &pass) }
            for some in round.made.pieces(of: Self.mostOpen) { make(some, &pass) }
            makeTunnels(round.made, &pass)
            edit(round.after, &pass)
        }
        isUncertain = pass.isUncertain
        usurped = []
        return pass.refusals.sorted { $0.index < $1.index }
    }

    /// Pods whose namespaces are open at once: a host may have more pods than a process may have files.
    static let mostOpen = 256
    /// Pairs that one request deletes. Nobody else can change a link meanwhile: some 24 ms, and half of one for each pair.
    private static let mostRemoved = 100
}

extension Array {
    /// The same elements in order, so many at a time.
    func pieces(of size: Int) -> [[Element]] {
        count <= size ? (isEmpty ? [] : [self]) : stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}

/// Steps, by their indices, that can be taken together without changing the order of any pair's steps.
struct Round {
    private(set) var before: [Int] = []
    private(set) var removed: [Int] = []
    private(set) var made: [Int] = []
    private(set) var after: [Int] = []

    static func all(of steps: [LinkStep]) -> [Round] {
        enum Stage { case before, removed, made }
        var rounds: [Round] = []
        var position: [LinkName?: (round: Int, stage: Stage)] = [:]
        for (index, step) in steps.enumerated() {
            var (round, stage) = position[step.name] ?? (0, .before)
            if step.removesLink {
                if stage != .before { round += 1 }
                stage = .removed
            } else if step.makesLink {
                if stage == .made { round += 1 }
                stage = .made
            }
            position[step.name] = (round, stage)
            while rounds.count <= round { rounds.append(Round()) }
            switch (step, stage) {
            case (.remove(.link), _), (.remove(.tunnel), _): rounds[round].removed.append(index)
            case (.add(.link(let link)), _):
                rounds[round].made.append(index)
                // A pair is made down; one that is wanted up is brought up like one that was there.
                if link.isUp { rounds[round].after.append(index) }
            case (.add(.tunnel), _): rounds[round].made.append(index)
            case (_, .before): rounds[round].before.append(index)
            default: rounds[round].after.append(index)
            }
        }
        return rounds
    }
}
