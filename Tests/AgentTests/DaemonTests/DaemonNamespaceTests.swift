import CLinux
import Foundation
import Glibc
import Lab
import OwnThreads
import Testing

/// Each fails on 7673dba: both pods are applied and take the interface from each other; the host's own
/// namespace and another network's routing domain are taken for a pod's; whatever is at a path is opened; and
/// nobody notices where a path leads.
@Suite("The daemon, and the many paths of a namespace,", .serialized, .ownThreads) struct DaemonNamespaceTests {
    private let host: DaemonHost
    private let web: DaemonPod
    private let peer: DaemonPod

    init() throws {
        let host = try DaemonHost()
        self.host = host
        func pod(_ id: String, _ number: Int) throws -> DaemonPod {
            var pod = try host.pod(id, number)
            pod.network = "red"
            pod.mac = "02:00:0a:01:00:\(number)"
            return pod
        }
        (web, peer) = (try pod("web", 10), try pod("peer", 20))
        try host.start()
        let networks = ["red", "green"].enumerated().map { number, id in
            """
              - id: \(id)
                isolated: true
                subnets:
                  - {id: v4, cidr: 10.\(number + 1).0.0/24, gateway: 10.\(number + 1).0.1}
                  - {id: v6, cidr: "fd00:\(number + 1)::/64", gateway: "fd00:\(number + 1)::1"}

            """
        }
        let groups =
            "securityGroups:\n  - id: open\n    rules: [{id: out, direction: egress}, {id: in, direction: ingress}]\n"
        let outcome = try host.apply(
            "networks:\n" + networks.joined() + groups + "pods:\n" + web.yaml("open") + peer.yaml("open"))
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.complaints)")
    }

    /// A pod of network green with web's MAC, at a path.
    private func thief(_ id: String = "a-thief", at path: String) -> String {
        """
        pods:
          - {id: \(id), network: green, namespace: \(path), mac: "02:00:0a:01:00:10", addresses: [10.2.0.66, "fd00:2::66"], securityGroups: [open]}

        """
    }

    enum Way: String, CaseIterable { case link, dots, mount, process }

    /// Another path of web's namespace.
    private func path(_ way: Way) throws -> (path: String, holder: LabProgram?) {
        let path = web.namespace.path
        switch way {
        case .link:
            try FileManager.default.createSymbolicLink(
                atPath: host.folder.file("link"), withDestinationPath: path)
            return (host.folder.file("link"), nil)
        case .dots: return (path.replacing("/run/netns/", with: "/run/netns/../netns/"), nil)
        case .mount:
            let again = "\(Lab.directory)/\(host.process ?? 0)-again"
            try host.host.run("sh", "-c", "touch \(again) && mount --bind \(path) \(again)")
            return (again, nil)
        case .process:
            let sleeper = try LabProgram(
                ["sleep", "1000"], in: web.namespace, log: host.folder.file("sleeper"))
            return ("/proc/\(sleeper.process)/ns/net", sleeper)
        }
    }

    private func index() throws -> Int? {
        try web.namespace.json("ip", "-j", "link", "show", "dev", "eth0").first?["ifindex"] as? Int
    }

    private func isReached() throws -> Bool { try web.isReached(at: 7000, from: peer, 0, witness: 7001) }

    @Test(
        "gives one interface in it to one pod; another waits, says for whom, and has it when that lets go",
        arguments: Way.allCases)
    func claims(_ way: Way) throws {
        let before = try index()
        #expect(try before != nil && isReached())
        let (path, holder) = try path(way)
        defer { holder?.end(SIGKILL) }
        defer { if way == .mount { _ = unsafe umount2(path, Int32(MNT_DETACH)) } }
        let outcome = try host.apply(thief(at: path))
        #expect(outcome.statuses == ["pending"], "\(outcome.output)")
        #expect(
            try host.reason(of: "a-thief").contains(
                "interface eth0 of network namespace \(path), which pod web has"))
        #expect(try host.status(of: "web") == "applied" && index() == before && isReached())
        // Nor after a start, though its id comes first.
        host.end(SIGKILL)
        try host.start()
        #expect(try host.status(of: "a-thief") == "pending" && host.status(of: "web") == "applied")
        #expect(try index() == before && isReached())

        #expect(try host.hawser("delete", "pod", "web").status == 0)
        #expect(try eventually { try host.status(of: "a-thief") == "applied" }, "\(host.log.suffix(1000))")
        #expect(try web.namespace.run("ip", "-o", "addr", "show", "dev", "eth0").contains("10.2.0.66/32"))
        #expect(try host.apply("pods:\n" + web.yaml("open")).statuses == ["pending"])
        #expect(try host.hawser("delete", "pod", "a-thief").status == 0)
        #expect(try eventually { try host.status(of: "web") == "applied" })
        #expect(try isReached())
        #expect(try host.isWell() && host.leftToRepair() == 0)
    }

    @Test(
        "never takes the host's own for a pod's, nor another network's routing domain, whatever path leads there"
    )
    func taken() throws {
        let domain = "\(host.domains)/hawser-red"
        try FileManager.default.createSymbolicLink(
            atPath: host.folder.file("to-red"), withDestinationPath: domain)
        try FileManager.default.createSymbolicLink(
            atPath: host.folder.file("to-host"), withDestinationPath: host.host.path)
        let red = try host.lab.namespace(at: domain)
        func links() throws -> [String] {
            try [host.host, red].flatMap {
                try [$0.run("ip", "-o", "link"), $0.run("ip", "route"), $0.run("ip", "-6", "route")]
            }
        }
        let before = try links()
        for (path, words) in [
            (host.host.path, "is the host's own"), (host.folder.file("to-host"), "is the host's own"),
            (domain, "is the routing domain of network red"),
            (host.folder.file("to-red"), "is the routing domain of network red"),
        ] {
            let outcome = try host.apply(thief(at: path))
            #expect(outcome.statuses == ["failed"], "\(path): \(outcome.output)")
            #expect(try host.reason(of: "a-thief").contains(words), "\(path)")
            #expect(try host.isReady())
            host.end(SIGKILL)
            try host.start()
            #expect(try host.status(of: "a-thief") == "failed" && host.isReady())
            #expect(try links() == before, "\(path)")
        }
        // In a namespace of its own it is a pod like any other.
        let own = try host.lab.namespace("own")
        #expect(try host.apply(thief(at: own.path)).statuses == ["applied"])
        #expect(try host.isWell() && isReached())
    }

    @Test("opens nothing that isn't one")
    func opens() throws {
        let plain = try host.folder.write("", to: "plain")
        let watch = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        defer { _ = close(watch) }
        let number = unsafe inotify_add_watch(watch, plain, UInt32(IN_OPEN))
        try #require(watch >= 0 && number >= 0)
        func events() -> Int {
            var buffer = [UInt8](repeating: 0, count: 4096)
            return unsafe buffer.withUnsafeMutableBytes { unsafe read(watch, $0.baseAddress, $0.count) }
        }
        #expect(try host.apply(thief(at: plain)).statuses == ["pending"])
        #expect(try host.hawser("resync").status == 0)
        #expect(events() < 0)
        // Whoever does is seen.
        _ = try String(contentsOfFile: plain, encoding: .utf8)
        #expect(events() > 0)
    }

    @Test("knows it by itself where a path comes to lead to another: the pod's interface goes there")
    func moves() throws {
        let (first, second) = (try host.lab.namespace("first"), try host.lab.namespace("second"))
        let folders = ["one", "two"].map { host.folder.file($0) }
        for (folder, namespace) in zip(folders, [first, second]) {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/ns", withDestinationPath: namespace.path)
        }
        // Nobody watches what becomes of a folder above.
        let way = host.folder.file("way")
        try FileManager.default.createSymbolicLink(atPath: way, withDestinationPath: folders[0])
        #expect(try host.apply(thief("moved", at: way + "/ns")).statuses == ["applied"])
        #expect(try first.json("ip", "-j", "link", "show").count == 2)
        try host.host.run("ln", "-sfn", folders[1], way)
        #expect(
            try eventually(within: .seconds(40)) { try second.json("ip", "-j", "link", "show").count == 2 })
        #expect(try first.json("ip", "-j", "link", "show").count == 1)
        #expect(try eventually { try host.status(of: "moved") == "applied" })
        #expect(try host.isWell() && isReached())
    }
}
