import Foundation
import Lab
import OwnThreads
import Testing

@Suite("The push port, behind TLS", .serialized, .ownThreads) struct PushSecurityTests {
    private let host: DaemonHost
    private let authority: PushAuthority

    init() throws {
        host = try DaemonHost()
        authority = try PushAuthority("authority", in: host.folder)
        try authority.sign("host.example")
        try authority.sign("controller.example")
    }

    private var flags: [String] {
        [
            "--push-listen", "127.0.0.1:50001", "--push-certificate", host.folder.file("host.example.pem"), "--push-key",
            host.folder.file("host.example.key"), "--push-client-ca", authority.certificate, "--push-clients",
            "controller.example,tenant.example=network:blue,monitor.example=read", "--push-max-message", "16KiB", "--push-max-resources",
            "10",
        ]
    }

    private func identity(_ name: String?, trusting ca: String? = nil) -> [String] {
        let own = name.map { ["--certificate", host.folder.file("\($0).pem"), "--key", host.folder.file("\($0).key")] } ?? []
        return ["--ca", ca ?? authority.certificate] + own
    }

    private static let push = DaemonHost.apply(#"{"upserts": {"networks": [{"id": "blue"}]}}"#)

    private func refusals() throws -> Int {
        let push = try host.hawser("status", "--output", "json").object["push"] as? [String: Any]
        return try #require(push?["refused"] as? Int)
    }

    @Test("refuses, logs and counts whoever has no certificate, a strange one, an expired one, or isn't on the list; and TLS 1.2")
    func strangers() throws {
        let other = try PushAuthority("other", in: host.folder)
        try other.sign("controller.example", as: "forged")
        try authority.sign("controller.example", as: "expired", days: -1)
        try authority.sign("stranger.example")
        try host.start(flags)
        let status = try host.hawser("status", "--output", "json").object["push"] as? [String: Any]
        #expect(status?["listen"] as? String == "127.0.0.1:50001" && status?["plaintext"] as? Bool == false)
        #expect(try host.python(identity("controller.example"), Self.push)[0].statuses == ["APPLIED"])
        let strangers = [(nil, "CERTIFICATE"), ("forged", "CERTIFICATE"), ("expired", "CERTIFICATE"), ("stranger.example", "push.clients")]
        for (name, word) in strangers {
            let before = try refusals()
            let reply = try host.python(identity(name), Self.push)[0]
            #expect(["UNAVAILABLE", "PERMISSION_DENIED"].contains(reply.code), "\(name ?? "nobody"): \(reply)")
            #expect(try refusals() > before, "\(name ?? "nobody")")
            let lines = host.log.split(separator: "\n").filter { $0.contains("refused") }
            #expect(lines.last?.contains(word) == true, "\(name ?? "nobody"): \(lines)")
        }
        func connects(_ version: String) throws -> Bool {
            let command = """
                openssl s_client -connect 127.0.0.1:50001 \(version) -alpn h2 -cert \(host.folder.file("controller.example.pem")) \
                -key \(host.folder.file("controller.example.key")) -CAfile \(authority.certificate) < /dev/null 2>&1 || true
                """
            let output = try host.host.run("sh", "-c", command)
            return output.contains("Verify return code: 0 (ok)") && !output.contains("Cipher is (NONE)")
        }
        #expect(try connects("-tls1_3"))
        #expect(try !connects("-tls1_2"))
    }

    @Test("holds each client to what it may do, and to the limits")
    func rights() throws {
        for name in ["tenant.example", "monitor.example"] { try authority.sign(name) }
        try host.start(flags)
        let networks = DaemonHost.apply(#"{"upserts": {"networks": [{"id": "blue"}, {"id": "green"}]}}"#)
        let tenant = try host.python(identity("tenant.example"), networks)
        #expect(tenant[0].statuses == ["APPLIED", "REJECTED"])
        #expect(host.log.contains("tenant.example may not change network green"))
        let before = try refusals()
        let monitor = try host.python(
            identity("monitor.example"), networks,
            #"{"call": "Apply", "request": {"dryRun": true, "delta": {"upserts": {"networks": [{"id": "green"}]}}}}"#,
            #"{"call": "Attach", "request": {"pod": "a", "namespace": "/run/netns/a"}}"#)
        #expect(monitor[0].code == "PERMISSION_DENIED" && monitor[2].code == "PERMISSION_DENIED")
        #expect(monitor[1].statuses == ["APPLIED"])
        #expect(try refusals() == before + 2)

        let many = (0..<11).map { #"{"id": "n\#($0)"}"# }.joined(separator: ",")
        let long = (0..<2000).map { "\"10.\($0 / 256).\($0 % 256).0/24\"" }.joined(separator: ",")
        let over = try host.python(
            identity("controller.example"), DaemonHost.apply(#"{"upserts": {"networks": [\#(many)]}}"#),
            DaemonHost.apply(#"{"upserts": {"addressGroups": [{"id": "a", "cidrs": [\#(long)]}]}}"#), networks)
        #expect(over[0].code == "RESOURCE_EXHAUSTED" && over[0].message.contains("push.maxResources"))
        // The library resets the stream, and may not say why before.
        #expect(["RESOURCE_EXHAUSTED", "CANCELLED"].contains(over[1].code), "\(over[1])")
        #expect(over[2].statuses == ["APPLIED", "APPLIED"])
    }

    @Test("takes new certificates without cutting a stream, keeps the former while they don't fit, and survives garbage")
    func renewal() throws {
        try host.start(flags)
        let other = try PushAuthority("other", in: host.folder)
        let (asked, renewed) = (host.folder.file("asked"), host.folder.file("renewed"))
        let renew = Thread {
            _ = eventually(within: .seconds(60)) { FileManager.default.fileExists(atPath: asked) }
            try? other.sign("host.example")
            _ = FileManager.default.createFile(atPath: renewed, contents: nil)
        }
        renew.start()
        let replies = try host.python(
            identity("controller.example"), #"{"open": "Push"}"#, DaemonHost.send(#"{"upserts": {"networks": [{"id": "blue"}]}}"#, id: "1"),
            #"{"receive": 1}"#, #"{"touch": "\#(asked)"}"#, #"{"exists": "\#(renewed)"}"#,
            DaemonHost.send(#"{"upserts": {"networks": [{"id": "green"}]}}"#, id: "2"), #"{"receive": 1}"#, #"{"close": true}"#)
        #expect(replies.map { $0["id"] as? String } == ["1", "2", nil] && replies.last?.code == "OK")
        #expect(try host.python(identity("controller.example"), Self.push)[0].code == "UNAVAILABLE", "it shows the new one")
        let trusting = identity("controller.example", trusting: other.certificate)
        #expect(try host.python(trusting, Self.push)[0].statuses == ["APPLIED"])

        try host.folder.write("not a key\n", to: "host.example.key")
        #expect(try host.python(trusting, Self.push)[0].statuses == ["APPLIED"])
        #expect(host.log.contains("the former ones stay"))

        let preface = #"printf 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'"#
        for bytes in ["head -c 100000 /dev/urandom", #"printf 'GET / HTTP/1.1\r\n\r\n'"#, "\(preface); head -c 1000 /dev/urandom"] {
            let command = "exec 3<>/dev/tcp/127.0.0.1/50001; (\(bytes)) >&3 2>/dev/null; timeout 1 cat <&3 >/dev/null || true"
            _ = try host.host.run("bash", "-c", command)
        }
        #expect(try host.python(trusting, Self.push)[0].statuses == ["APPLIED"])
    }
}
