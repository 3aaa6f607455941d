import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import HawserProtocol
import HostNetwork
import Lab

/// A host with many pods that takes pushes; this program is its controller, at the other end of a cable.
final class PushedHost: Sendable {
    /// How the push port is entered.
    enum Door: String, CaseIterable, Sendable {
        case plaintext
        case certificates = "mutual TLS"
    }

    let region: Region
    private let lab: Lab
    private let host: LabNamespace
    private let folder: URL

    private static let address = "192.0.2.1"
    private static let port = 50001
    /// The controller's end of the cable.
    private static let link = "controller"

    init(pods: Int, folder: URL) throws {
        self.folder = folder
        region = Region(pods: pods, members: 10, place: "\(Lab.directory)/push-")
        lab = try Lab()
        host = try lab.namespace(named: "push-host")
        for name in region.names { _ = try lab.namespace(named: "push-" + name) }
        try region.write(to: folder.appending(path: "intents"))
        try Bench.run("ip", "link", "add", Self.link, "type", "veth", "peer", "name", "uplink", "netns", host.path)
        try Bench.run("ip", "addr", "add", "192.0.2.2/30", "dev", Self.link)
        try Bench.run("ip", "link", "set", Self.link, "up")
        try host.run("ip", "addr", "add", Self.address + "/30", "dev", "uplink")
        try host.run("ip", "link", "set", "uplink", "up")
        try makeCertificates()
    }

    func clear() {
        try? Bench.run("ip", "link", "del", Self.link)
        lab.remove()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Starts the daemon, which takes over what the one before has left.
    func start(_ door: Door) async throws -> DaemonProcess {
        var settings = ["--push-listen", "\(Self.address):\(Self.port)"]
        switch door {
        case .plaintext: settings += ["--push-plaintext", "true"]
        case .certificates:
            settings += [
                "--push-certificate", file("host.pem"), "--push-key", file("host.key"), "--push-client-ca", file("authority.pem"),
                "--push-clients", "controller.example",
            ]
        }
        let daemon = try DaemonProcess(on: host, in: folder, intents: folder.path + "/intents", settings)
        try await daemon.ready(with: region.pods + Region.movers.count)
        return daemon
    }

    /// Opens a connection of its own, and on it a stream of pushes.
    func connected<Result: Sendable>(
        _ door: Door, _ body: @Sendable @escaping (inout PushStream) async throws -> Result
    ) async throws -> Result {
        let transport = try HTTP2ClientTransport.Posix(
            target: .ipv4(address: Self.address, port: Self.port), transportSecurity: security(door))
        return try await withGRPCClient(transport: transport) { client in
            try await PushStream.opened(on: Hawser_V1_Push.Client(wrapping: client), body)
        }
    }

    private func security(_ door: Door) -> HTTP2ClientTransport.Posix.TransportSecurity {
        switch door {
        case .plaintext: .plaintext
        case .certificates:
            .mTLS(
                certificateChain: [.file(path: file("client.pem"), format: .pem)],
                privateKey: .file(path: file("client.key"), format: .pem)
            ) { tls in
                tls.trustRoots = .certificates([.file(path: self.file("authority.pem"), format: .pem)])
            }
        }
    }

    // MARK: Certificates

    private func file(_ name: String) -> String { folder.path + "/" + name }

    /// One authority signs both sides' certificates, of elliptic curves as most are today.
    private func makeCertificates() throws {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        func openssl(_ words: [String]) throws { try Bench.run(["openssl"] + words) }
        try openssl(
            ["req", "-x509"] + key + [
                "-keyout", file("authority.key"), "-out", file("authority.pem"), "-subj", "/CN=authority", "-days", "1",
            ])
        for (name, subject) in [("host", "IP:" + Self.address), ("client", "DNS:controller.example")] {
            try Data("subjectAltName=\(subject)\n".utf8).write(to: URL(filePath: file("names")))
            try openssl(["req", "-new"] + key + ["-keyout", file(name + ".key"), "-out", file(name + ".csr"), "-subj", "/O=bench"])
            try openssl([
                "x509", "-req", "-in", file(name + ".csr"), "-CA", file("authority.pem"), "-CAkey", file("authority.key"),
                "-CAcreateserial", "-days", "1", "-extfile", file("names"), "-out", file(name + ".pem"),
            ])
        }
    }
}
