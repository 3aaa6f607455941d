import Foundation
import Lab
import OwnThreads
import Testing

/// What the unit says is done by Python/sandbox.py, for no systemd runs here; see there for what that leaves out.
@Suite("The sandbox of the unit", .serialized, .ownThreads) struct DaemonSandboxTests {
    private let host: DaemonHost
    private static let unit = DaemonHost.repository + "/Systemd/hawserd.service"

    init() throws {
        host = try DaemonHost(isSandboxed: true)
        for name in ["state", "run"] {
            try FileManager.default.createDirectory(atPath: host.folder.file(name), withIntermediateDirectories: true)
        }
    }

    /// The words that put a program into the sandbox. The unit's folders are the test's own.
    private var sandbox: [String] { sandbox(of: Self.unit) }

    private func sandbox(of unit: String) -> [String] {
        [
            "python3", DaemonHost.script("sandbox.py"), unit, "--bind",
            "\(host.folder.file("state")):/var/lib/hawser", "--bind",
            "\(host.folder.file("run")):/run/hawser", "--group", "1", "--",
        ]
    }

    @Test("lets the daemon do all that it is for: attach, rebind, isolated networks, pushes, and the same after it is killed")
    func works() throws {
        // As systemd does at boot: what is mounted there afterwards is heard of inside.
        try host.host.run("mount", "--make-shared", "/run")
        let (web, client) = (try host.pod("web", 10), try host.pod("client", 20))
        let settings = DaemonHost.plaintext + ["--control-group", "daemon", "--debug-group", "daemon"]
        let uplink = try Uplink("up0", of: host)
        try uplink.advertise()
        #expect(try eventually { try uplink.isDefault() })
        func start() throws { try host.start(settings, inside: sandbox) }
        try start()
        #expect(try uplink.isDefault(), "the host has lost its route: \(host.log)")
        func bind(_ group: String) throws {
            let resources = DaemonHost.resources(
                ["a": [7000, 7001], "b": [7100, 7001]], pods: web.json(group) + "," + client.json("open"))
            let statuses = try host.python([], DaemonHost.apply(#"{"upserts": \#(resources)}"#))[0].statuses
            #expect(Set(statuses) == ["APPLIED"], "\(host.log)")
        }
        func judge(_ open: UInt16, _ shut: UInt16) throws {
            for family in 0...1 {
                #expect(try web.isReached(at: open, from: client, family, witness: 7001))
                #expect(try !web.isReached(at: shut, from: client, family, witness: 7001))
            }
        }
        try bind("a")
        try judge(7000, 7100)
        // A namespace that comes while the daemon runs, from outside of its mount namespace; and one that it makes itself.
        let island = try host.lab.namespace("island")
        let text = """
            networks: [{id: sandbox-iso, isolated: true, subnets: [{id: i, cidr: 10.1.0.0/24, gateway: 10.1.0.1}]}]
            pods: [{id: i0, network: sandbox-iso, namespace: \(island.path), addresses: [10.1.0.10]}]
            """
        #expect(try host.hawser("apply", "-f", host.folder.write(text, to: "iso.yaml")).status == 0, "\(host.log)")
        let isAttached = try eventually { try island.run("ip", "-o", "link").contains("eth0") }
        let pods = try host.hawser("pods").output
        #expect(isAttached, "\(pods)\(host.log)")
        let doctor = try host.hawser("doctor")
        #expect(doctor.output.contains("3 checks"), "\(doctor.output)\(doctor.complaints)")
        try bind("b")
        try judge(7100, 7000)

        host.end(SIGKILL)
        try judge(7100, 7000)
        try start()
        try judge(7100, 7000)
        try bind("a")
        try judge(7000, 7100)
        #expect(try uplink.isDefault())
        // The socket is its group's, which wants no CAP_CHOWN of a member.
        let socket = try FileManager.default.attributesOfItem(atPath: host.folder.file("run/control.sock"))
        #expect(socket[.groupOwnerAccountID] as? Int == 1 && socket[.posixPermissions] as? Int == 0o660)
        let (status, time) = host.end(SIGTERM)
        #expect(status == 0 && time < .seconds(5))
        #expect(!host.log.contains("confine itself"), "the filter of the unit must let the daemon have one of its own")
    }

    /// Fails on 7673dba: "Failed to set thread priority for worker thread" at each start. libdispatch tells
    /// syslog, unless it is told otherwise.
    @Test("refuses no thread of libdispatch its priority, and would be missed")
    func priorities() throws {
        let unit = try String(contentsOfFile: Self.unit, encoding: .utf8)
        let lines = unit.split(separator: "\n", omittingEmptySubsequences: false).filter {
            !$0.hasPrefix("LimitNICE=")
        }
        let without = try host.folder.write(lines.joined(separator: "\n"), to: "without.service")
        for (unit, complains) in [(Self.unit, false), (without, true)] {
            let before = host.log.count
            try host.start(inside: ["env", "LIBDISPATCH_LOG=stderr"] + sandbox(of: unit))
            // The thread in question hears the signal.
            #expect(host.end(SIGTERM).status == 0)
            let log = host.log.dropFirst(before)
            #expect(log.contains("listens"))
            #expect(log.contains("Failed to set thread priority") == complains, "\(log)")
        }
    }

    @Test("forbids all else, and would be missed")
    func forbids() throws {
        let others = try host.folder.write("", to: "others")
        try host.host.run("chown", "65534", others)
        try host.host.run("chmod", "400", others)
        try host.host.run("cp", others, "/run/hawser-others")
        try host.host.run("cp", "-p", others, "/run/hawser-others")
        defer { _ = try? host.host.run("rm", "/run/hawser-others") }
        let numbers = try host.host.run(
            "sh", "-c",
            "echo '#include <sys/syscall.h>' | clang -E -dM - | sed -n 's/#define __NR_\\([a-z0-9_]*\\) \\([0-9]*\\)$/\\1=\\2/p'")
        // The folder of the test is out of sight inside.
        try FileManager.default.copyItem(atPath: DaemonHost.script("forbidden.py"), toPath: host.folder.file("state/forbidden.py"))
        // What is called python3 may be a script that finds it.
        let python = try host.host.run("python3", "-c", "import sys; print(sys.executable, end='')")
        // The daemon's own filter, for a process of Python's.
        let library = host.folder.file("state/confine.so")
        try host.host.run(
            [
                "clang", "-shared", "-fPIC", "-I", DaemonHost.repository + "/Sources/CLinux", "-o", library,
                "-x", "c", "-",
            ],
            input: "#include \"confine.h\"\nint confine(void) { return hawser_confine(); }\n")
        // Whose memory somebody else of its user may want to write.
        try host.start(inside: sandbox)
        let helper = try host.helper()
        func outcomes(_ words: [String], own: String, _ variables: String...) throws -> [String: String] {
            let environment =
                ["env", "NUMBERS=\(numbers)", "OWN=\(own)", "OTHERS=/run/hawser-others", "HELPER=\(helper)"]
                + variables
            let lines = try host.host.run(environment + words + [python, own + "/forbidden.py"]).split(separator: "\n")
            return Dictionary(
                lines.compactMap { line in
                    line.range(of: ": ", options: .backwards).map { (String(line[..<$0.lowerBound]), String(line[$0.upperBound...])) }
                }
            ) { $1 }
        }
        func expect(_ outcomes: [String: String], refused kinds: String...) {
            for (what, outcome) in outcomes {
                if kinds.contains(where: what.hasPrefix) {
                    #expect(outcome.hasPrefix("refused"), "\(what): \(outcome)")
                }
                if what.hasPrefix("allowed") { #expect(outcome == "done", "\(what): \(outcome)") }
            }
        }
        // As the daemon is. Fails on 7673dba: /proc/sys is unmounted, and the kernel's settings can be
        // written.
        let own = "/var/lib/hawser"
        let confined = try outcomes(sandbox, own: own, "SANDBOXED=1", "CONFINE=\(own)/confine.so")
        expect(confined, refused: "forbidden", "confined")
        // As its helper is before it confines itself: that is what the daemon takes from itself.
        let inside = try outcomes(sandbox, own: own, "SANDBOXED=1")
        expect(inside, refused: "forbidden")
        for what in ["bind", "remount", "unmount what is in use"] {
            #expect(
                inside["confined: \(what)"] == "done",
                "\(what): \(inside["confined: \(what)"] ?? "not tried")")
        }
        let outside = try outcomes([], own: host.folder.file("state"))
        // Root of a user namespace mayn't write them anywhere.
        #expect(
            inside["confined: write the settings that were unmounted"]
                == outside["forbidden: write the kernel's settings"])
        #expect(
            Set(inside.keys) == Set(outside.keys) && Set(inside.keys) == Set(confined.keys)
                && inside.count > 70)
        // Of what the host refuses as well, as it has no such file or no such call, nothing is shown.
        let shown = outside.filter { $0.key.hasPrefix("forbidden") && !$0.value.hasPrefix("refused") }
        #expect(shown.count > 40, "\(outside)")
        for path in ["/etc", "/usr", "/var/lib", "/run"] { _ = try? host.host.run("rm", "-f", path + "/hawser-was-here") }
    }

    @Test("is spelled as systemd reads it, and counts for little exposure")
    func verified() throws {
        let offline = try host.host.run("systemd-analyze", "security", "--offline=true", "--no-pager", Self.unit)
        let score = try #require(offline.split(separator: "\n").last { $0.contains("Overall exposure level") })
        let number = try #require(score.split(separator: " ").compactMap { Double($0) }.first)
        #expect(number <= 3.5, "\(score)")
    }
}
