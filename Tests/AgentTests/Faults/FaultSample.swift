import Foundation

/// Some of many cases, for there are more than a quick run has time for.
enum FaultSample {
    /// As many as a variable of the environment says, all if that is "all"; from one on that `HAWSER_SEED` says, or chance.
    static func of<Case>(_ all: [Case], wanted variable: String, otherwise few: Int, _ what: String) -> [Case] {
        let environment = ProcessInfo.processInfo.environment
        if environment[variable] == "all" { return all }
        let seed = environment["HAWSER_SEED"].flatMap { Int($0) } ?? .random(in: 0..<1_000_000)
        let wanted = environment[variable].flatMap { Int($0) } ?? few
        print("\(what): \(wanted) of \(all.count) cases (HAWSER_SEED=\(seed))")
        // As far apart as they can be, and every kind as often as any other.
        return (0..<wanted).map { all[(seed + $0 * (all.count / wanted | 1)) % all.count] }
    }
}
