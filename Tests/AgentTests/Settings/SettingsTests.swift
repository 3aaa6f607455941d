import Agent
import Foundation
import HostNetwork
import Logging
import Testing

@Suite("Settings") struct SettingsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func load(_ yaml: String, _ flags: [String] = [], _ environment: [String: String] = [:]) async throws -> SettingsLoader.Loaded {
        try await SettingsLoader.load(file: folder.write(yaml, to: "hawserd.yaml"), flags: flags, environment: environment)
    }

    private func complaints(_ yaml: String, _ flags: [String] = [], _ environment: [String: String] = [:]) async throws -> [SettingsError] {
        do {
            _ = try await load(yaml, flags, environment)
            return []
        } catch let errors as SettingsErrors {
            return errors.errors
        }
    }

    @Test("that nobody sets are the defaults, and the default file may be missing")
    func defaults() async throws {
        #expect(try await load("").settings == Settings())
        #expect(try await load("host:\ncontrol: {}\n").settings == Settings())
    }

    @Test("come from the file, the environment and flags, the later winning")
    func precedence() async throws {
        let yaml = "log: {level: debug, format: json}\ndebug: {socket: /a}\n"
        let file = try await load(yaml).settings
        #expect(file.log.level == .debug && file.log.format == .json && file.debug.socket == "/a")
        let environment = try await load(yaml, [], ["HAWSER_LOG_LEVEL": "error", "HAWSER_DEBUG_SOCKET": "/b"]).settings
        #expect(environment.log.level == .error && environment.log.format == .json && environment.debug.socket == "/b")
        let flags = try await load(yaml, ["--log-level=trace", "--debug-socket", "/c"], ["HAWSER_LOG_LEVEL": "error"]).settings
        #expect(flags.log.level == .trace && flags.debug.socket == "/c")
    }

    @Test("have a flag and a variable for each key")
    func spellings() throws {
        let spelled = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.key, [$0.flag, $0.variable]) })
        #expect(spelled["host.toPods"] == ["--host-to-pods", "HAWSER_HOST_TO_PODS"])
        #expect(spelled["push.clientCA"] == ["--push-client-ca", "HAWSER_PUSH_CLIENT_CA"])
        #expect(spelled["push.maxMessage"] == ["--push-max-message", "HAWSER_PUSH_MAX_MESSAGE"])
    }

    @Test("take every kind of value, from each source")
    func values() async throws {
        let yaml = """
            host: {toPods: rules, fromPods: allow, forwarding: check, address: "fd00::1"}
            push: {listen: "[::]:50001", certificate: /c.pem, key: /k.pem, clientCA: /a.pem, clients: [a, "b,c"], maxMessage: 1KiB}
            conntrack: {mark: 0xff00, invalid: drop}
            drops: {logRate: 5/minute}
            intents: {directory: ""}
            """
        let settings = try await load(yaml).settings
        #expect(settings.host.toPods == .rules && settings.host.fromPods == .allow && settings.host.forwarding == .check)
        #expect(settings.push.listen == "[::]:50001" && !settings.push.plaintext && settings.push.clients == ["a", "b,c"])
        #expect(settings.push.maxMessage == 1024 && settings.conntrack.mark == 0xFF00 && settings.conntrack.invalid == .drop)
        #expect(settings.drops.logRate.description == "5/minute" && settings.intents.directory.isEmpty)
        #expect(try await load("host: {fromPods: rules}\n").settings.host.fromPods == .rules)
        let flags = try await load(
            "", ["--push-clients", "a,b=read", "--push-client-ca", "/ca.pem", "--push-key", "/k.pem"], ["HAWSER_PUSH_CERTIFICATE": "/c.pem"]
        ).settings
        #expect(flags.push.clients == ["a", "b=read"] && flags.push.clientCA == "/ca.pem" && flags.push.isOn)
    }

    @Test("that don't exist are errors that name the nearest one")
    func unknown() async throws {
        #expect(try await complaints("hots: {toPods: allow}\n").map(\.valid) == ["did you mean host?"])
        #expect(try await complaints("host: {topods: allow}\n").map(\.valid) == ["did you mean host.toPods?"])
        #expect(try await complaints("", ["--log-levle", "info"]).map(\.valid) == ["did you mean --log-level?"])
        #expect(try await complaints("", ["verbose"]).map(\.reason) == ["not a flag"])
        let loaded = try await load("", [], ["HAWSER_LOG_LEVLE": "info", "HAWSER_PORT": "tcp://10.0.0.1:80"])
        #expect(loaded.notes.count == 2 && loaded.notes.first?.contains("did you mean HAWSER_LOG_LEVEL?") == true)
    }

    @Test(
        "that aren't valid are errors that name key, value, source and what is valid",
        arguments: [
            ("log: {level: loud}", "log.level", "loud", "trace, debug"),
            ("conntrack: {mark: 0xf0f}", "conntrack.mark", "0xf0f", "contiguous"),
            ("conntrack: {mark: 0x7}", "conntrack.mark", "0x7", "contiguous"),
            ("control: {socket: run/x}", "control.socket", "run/x", "absolute"),
            ("push: {listen: 50001}", "push.listen", "50001", "an IP address and a port"),
            ("push: {listen: \"a:0\"}", "push.listen", "a:0", "port"),
            ("push: {listen: \"::1:5\"}", "push.listen", "::1:5", "port"),
            ("push: {plaintext: maybe}", "push.plaintext", "maybe", "true or false"),
            ("push: {maxMessage: 64MB}", "push.maxMessage", "64MB", "MiB"), ("drops: {logRate: 5}", "drops.logRate", "5", "100/second"),
            ("host: {address: 10.1}", "host.address", "10.1", "an IP address"),
            ("host: {toPods: deny}", "host.toPods", "deny", "allow or rules"),
            ("host: {fromPods: none}", "host.fromPods", "none", "replies, rules or allow"),
            ("conntrack: {invalid: accept}", "conntrack.invalid", "accept", "rules or drop"),
        ])
    func invalid(yaml: String, key: String, value: String, valid: String) async throws {
        let errors = try await complaints(yaml)
        #expect(errors.map(\.key) == [key])
        #expect(errors.first?.value == value)
        #expect(errors.first?.source == folder.file("hawserd.yaml"))
        #expect(errors.first?.valid.contains(valid) == true)
    }

    @Test("are told all that is wrong at once, from every source")
    func several() async throws {
        let errors = try await complaints("log: {level: loud, format: xml}\n", ["--debug-socket", "x"], ["HAWSER_STATE_DIRECTORY": "y"])
        #expect(Set(errors.map(\.key)) == ["log.level", "log.format", "--debug-socket", "HAWSER_STATE_DIRECTORY"])
    }

    @Test(
        "in a file of another shape are errors", arguments: ["[1, 2]", "log: debug", "push: {clients: one}", "log: {level: [a]}", "a: ["])
    func shape(yaml: String) async throws {
        #expect(try await complaints(yaml).count == 1)
    }

    @Test("in a file that is named but missing are an error")
    func missing() async throws {
        await #expect(throws: SettingsErrors.self) { try await SettingsLoader.load(file: folder.file("nowhere.yaml"), environment: [:]) }
    }

    @Test("of later versions are taken, and noted")
    func later() async throws {
        #expect(try await load("metrics: {listen: \"127.0.0.1:9100\"}\n").notes.first?.contains("metrics.listen") == true)
    }

    @Test("have defaults that their own validation takes")
    func consistent() async throws {
        let yaml = Setting.all.map { setting in
            let parts = setting.key.split(separator: ".")
            return "\(parts[0]): {\(parts[1]): \(setting.initial.contains(":") ? "\"\(setting.initial)\"" : setting.initial)}"
        }
        for line in yaml { #expect(try await load(line).settings == Settings(), "\(line)") }
    }
}
