import Foundation

/// A certificate authority of a test's own, made with openssl(1).
struct PushAuthority {
    let folder: TemporaryFolder
    let name: String

    init(_ name: String, in folder: TemporaryFolder) throws {
        self.folder = folder
        self.name = name
        try Self.openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder.file("\(name).key"),
            "-out", certificate, "-subj", "/CN=\(name)", "-days", "1",
        ])
    }

    static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]

    var certificate: String { folder.file("\(name).pem") }

    /// What a test's client says to be the one whose certificate is in this file.
    func identity(_ file: String) -> [String] {
        ["--ca", certificate, "--certificate", folder.file(file + ".pem"), "--key", folder.file(file + ".key")]
    }

    /// What a daemon says to be "host.example" at the push port, to these clients.
    func flags(_ clients: [String]) -> [String] {
        [
            "--push-listen", "127.0.0.1:50001", "--push-certificate", folder.file("host.example.pem"), "--push-key",
            folder.file("host.example.key"), "--push-client-ca", certificate, "--push-clients", clients.joined(separator: ","),
        ]
    }

    /// Signs a certificate for a name; `days` below 0: it has expired.
    ///
    /// - Parameter address: an IP address that it is for, too.
    func sign(_ subject: String, address: String? = nil, as file: String? = nil, days: Int = 1) throws {
        let names = "subjectAltName=DNS:\(subject)\(address.map { ",IP:" + $0 } ?? "")"
        try sign(subject: "/O=Hawser's tests", names, as: file ?? subject, days: days)
    }

    /// Signs a certificate with names of any kind.
    ///
    /// - Parameter extensions: as x509v3_config(5) has them, a line for each; at least one.
    func sign(subject: String, _ extensions: String, as file: String, days: Int = 1, key: [String] = PushAuthority.key) throws {
        let base = folder.file(file)
        let names = try folder.write(extensions + "\n", to: "names")
        try Self.openssl(
            [
                "req", "-new", "-utf8", "-nodes", "-keyout", base + ".new", "-out", base + ".csr", "-subj", subject,
            ] + key)
        try Self.openssl([
            "x509", "-req", "-in", base + ".csr", "-CA", certificate, "-CAkey", folder.file("\(name).key"), "-CAcreateserial", "-days",
            "\(days)", "-extfile", names, "-out", base + ".signed",
        ])
        for (new, old) in [(".new", ".key"), (".signed", ".pem")] {
            try? FileManager.default.removeItem(atPath: base + old)
            try FileManager.default.moveItem(atPath: base + new, toPath: base + old)
        }
    }

    private static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw NoCertificate(arguments: arguments) }
    }

    private struct NoCertificate: Error { var arguments: [String] }
}
