import Foundation
import Lab
import OwnThreads
import Testing

@Suite("The daemon and its helper that names namespaces", .serialized, .ownThreads) struct DaemonNamesTests {
    private let place: FaultPlace
    private var host: DaemonHost { place.host }

    init() throws { place = try FaultPlace() }

    private func exists(_ process: Int32) -> Bool {
        FileManager.default.fileExists(atPath: "/proc/\(process)")
    }

    @Test("end together: the helper with a daemon that is killed, or ends; and it holds none of its files")
    func together() throws {
        for signal in [SIGKILL, SIGTERM] {
            try host.start()
            let helper = try host.helper()
            #expect(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(helper)/fd").count == 2)
            host.end(signal)
            #expect(eventually { !exists(helper) })
        }
    }

    @Test(
        "end together: a daemon whose helper is killed says so and ends, and the next one is whole"
    )
    func gone() throws {
        let whole = FaultPlace.isolated(place.everything("a", isExtra: true))
        try host.start()
        #expect(try host.apply(whole).status == 0)
        let floods = try place.floods()
        let process = try #require(host.process)
        let helper = try host.helper()
        kill(helper, SIGKILL)
        #expect(eventually { host.hasEnded }, "\(host.log.suffix(1000))")
        #expect(host.end(SIGKILL).status == 1)
        #expect(!exists(helper) && !exists(process))
        #expect(
            host.log.contains(
                "the helper that names namespaces is gone (signal 9 ended it), and hawserd ends"))
        #expect(try [place.policy(0), place.policy(1)] == ["a", "a"])

        try host.start()
        #expect(try host.leftToRepair() == 0)
        floods.expectUndisturbed()
        #expect(try host.prune(DaemonHost.groups([:])).status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: host.domains).isEmpty)
        #expect(try host.apply(whole).status == 0)
        #expect(try [place.policy(0), place.policy(1)] == ["a", "a"])
    }

    @Test(
        "that can't have their folder run without isolated networks, which fail and say why"
    )
    func helpless() throws {
        let folder = try host.folder.write("", to: "file") + "/names"
        try host.start(["--host-namespaces", folder])
        #expect(
            host.log.contains("host.namespaces: isolated networks can't be made: \(folder)"), "\(host.log)")
        let outcome = try host.apply(FaultPlace.isolated(place.everything("a", isExtra: false)))
        #expect(
            outcome.status == 1
                && outcome.output.contains("\(folder) can't be used for names of namespaces: Not a directory")
        )
        #expect(try host.prune("{}").status == 0)
        #expect(try host.apply(place.everything("a", isExtra: false)).status == 0)
        #expect(try [place.policy(0), place.policy(1)] == ["a", "a"])
    }
}
