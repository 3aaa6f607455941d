import ArgumentParser
import Foundation
import HawserAPI
import Lab

extension PacketKind: ExpressibleByArgument {}
extension PacketHost.By: ExpressibleByArgument {}

/// Measures what a packet's way through a host costs, beside plain forwarding and beside the same policy as a linear chain of iptables.
struct Packets: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures what packets cost.",
        discussion: "Root of the host runs it: the packets are made by a program inside the kernel (bpf(2), Linux 5.18).")

    @Option(help: "How often each thing is done.") var repetitions = 30
    @Option(help: "Numbers of rules of each of a pod's two groups.") var rules = Counts([5, 50, 500])
    @Option(help: "Numbers of pods.") var pods = Counts([10, 400])
    @Option(help: "Numbers of members of a remote group.") var members = Counts([10, 10000])
    @Option(help: "Numbers of remote groups that the rules of one group name; all but the first are measured with the most rules only.")
    var remotes = Counts([4, 1, 40])
    @Option(parsing: .upToNextOption, help: "Whose rules are measured.") var by: [PacketHost.By] = PacketHost.By.allCases
    @Option(parsing: .upToNextOption, help: "Ways of a packet.") var ways: [PacketKind] = PacketKind.allCases
    @Option(help: "Write the results as JSON to this file, too.", completion: .file()) var json: String?

    func validate() throws {
        let sizes = [("repetitions", repetitions, 1)]
        let counts = [("rules", rules, 5), ("pods", pods, 4), ("members", members, 2), ("remotes", remotes, 1)].flatMap {
            name, counts, least in
            counts.numbers.map { (name, $0, least) }
        }
        for (name, number, least) in sizes + counts where number < least {
            throw ValidationError("--\(name) \(number): \(least) is the least.")
        }
    }

    func run() async throws {
        let folder = Bench.folder(in: NSTemporaryDirectory())
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let lab = try Lab()
        defer { lab.remove() }
        var figures = PacketFigures()
        var trials: [PacketTrial] = []
        for (number, (by, policy)) in contenders.enumerated() {
            Bench.progress("\(by.title), 2 × \(policy.rules) rules, \(policy.pods) pods, \(policy.members) members: being made")
            do {
                trials.append(PacketTrial(try await PacketHost("plane\(number)", by, policy, in: lab, folder: folder), ways))
            } catch  where by.isIPTables {
                figures.missing.append("\(by.title): \(error)")
            }
        }
        // By turns, each of them every time.
        for round in 1...repetitions {
            Bench.progress("round \(round) of \(repetitions)")
            for index in trials.indices { try trials[index].measure() }
        }
        figures.costs = trials.flatMap(\.costs)
        print(figures.table, figures.spread, figures.aims, separator: "\n\n")
        for text in figures.missing { print("\nleft out: \(text)") }
        if let json { try JSON.pretty(figures).write(to: URL(filePath: json)) }
    }

    /// Who is measured, and with what.
    private var contenders: [(PacketHost.By, PacketPolicy)] {
        let few = (pods: pods.numbers.min() ?? 10, members: members.numbers.min() ?? 10)
        let sizes = pods.numbers.flatMap { pods in members.numbers.map { (pods: pods, members: $0) } }
        let none = PacketPolicy(rules: 0, pods: few.pods, members: few.members)
        var all: [(PacketHost.By, PacketPolicy)] = [PacketHost.By.forwarding, .tracking, .unfiltered].map { ($0, none) }
        let usual = remotes.numbers.first ?? 4
        func add(_ by: PacketHost.By) {
            for size in sizes {
                for count in rules.numbers {
                    all.append((by, PacketPolicy(rules: count, pods: size.pods, members: size.members, remotes: usual)))
                }
            }
        }
        add(.hawser)
        for remotes in remotes.numbers.dropFirst() {
            all.append((.hawser, PacketPolicy(rules: rules.numbers.max() ?? 500, pods: few.pods, members: few.members, remotes: remotes)))
        }
        [PacketHost.By.legacy, .nft].forEach(add)
        return all.filter { by.contains($0.0) }
    }
}
