import Foundation
import Logging
import NIOSSL
import Synchronization

/// This host's certificate, its key, and who signs the clients' certificates: read again when one of the files has changed.
///
/// There is no timer and no watch: each handshake looks whether the files are still those that it knows. Connections that are there keep
/// what they began with. Files that don't fit together (the certificate is new, the key not yet) leave the former ones in force.
///
/// No client resumes a session. Its certificate isn't looked at again then, nor asked for: whoever has a session's
/// secret would be the client without its key, for two days, and after its certificate has expired. TLS gives each
/// client what it could resume by, which is worth something in the same context only; so each context is in use for
/// new connections until somebody has got through a handshake in it.
final class PushCertificates: Sendable {
    /// What tells one state of a file from another (stat(2)).
    private struct Stamp: Hashable {
        var file: UInt64
        var size: UInt64
        var modified: Date?
    }

    private struct State {
        var stamps: [Stamp?]
        /// What the context is made from.
        var configuration: TLSConfiguration
        var context: NIOSSLContext
        /// Whether somebody may have what a session is resumed by.
        var isSpent = false
    }

    private let settings: Settings.Push
    private let logger: Logger
    private let state: Mutex<State>

    /// Throws when the files can't be used.
    init(_ settings: Settings.Push, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let stamps = Self.stamps(settings)
        let (configuration, context) = try Self.context(settings)
        state = Mutex(State(stamps: stamps, configuration: configuration, context: context))
    }

    /// For the next handshake.
    func context() -> NIOSSLContext {
        state.withLock { state in
            let stamps = Self.stamps(settings)
            guard stamps != state.stamps else { return unspent(&state) }
            state.stamps = stamps
            do {
                (state.configuration, state.context) = try Self.context(settings)
                state.isSpent = false
                logger.notice("push: the certificates were read anew")
            } catch {
                logger.error("push: the new certificates can't be used, so the former ones stay: \(error)")
            }
            return unspent(&state)
        }
    }

    /// To be called when a client has got through a handshake.
    func spend() { state.withLock { $0.isSpent = true } }

    private func unspent(_ state: inout State) -> NIOSSLContext {
        guard state.isSpent else { return state.context }
        do {
            state.context = try NIOSSLContext(configuration: state.configuration)
            state.isSpent = false
        } catch {
            logger.error("push: clients can resume their sessions, because no other context can be made: \(error)")
        }
        return state.context
    }

    private static func stamps(_ settings: Settings.Push) -> [Stamp?] {
        [settings.certificate, settings.key, settings.clientCA].map { path in
            let real = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: real) else { return nil }
            return Stamp(
                file: (attributes[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0,
                size: (attributes[.size] as? NSNumber)?.uint64Value ?? 0, modified: attributes[.modificationDate] as? Date)
        }
    }

    private static func context(_ settings: Settings.Push) throws -> (TLSConfiguration, NIOSSLContext) {
        func named<Value>(_ key: String, _ path: String, _ read: () throws -> Value) throws -> Value {
            do { return try read() } catch { throw UnusableCertificate(key: key, path: path, reason: "\(error)") }
        }
        let chain = try named("push.certificate", settings.certificate) { try NIOSSLCertificate.fromPEMFile(settings.certificate) }
        let key = try named("push.key", settings.key) { try NIOSSLPrivateKey(file: settings.key, format: .pem) }
        let roots = try named("push.clientCA", settings.clientCA) { try NIOSSLCertificate.fromPEMFile(settings.clientCA) }
        guard !chain.isEmpty, !roots.isEmpty else {
            let path = chain.isEmpty ? settings.certificate : settings.clientCA
            throw UnusableCertificate(
                key: chain.isEmpty ? "push.certificate" : "push.clientCA", path: path, reason: "it has no certificate")
        }
        var configuration = TLSConfiguration.makeServerConfigurationWithMTLS(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key), trustRoots: .certificates(roots))
        configuration.minimumTLSVersion = .tlsv13
        configuration.applicationProtocols = ["h2"]
        let context = try named("push.key", "\(settings.key), with \(settings.certificate)") {
            try NIOSSLContext(configuration: configuration)
        }
        return (configuration, context)
    }
}

/// A file of the push port's certificates can't be used.
package struct UnusableCertificate: Error, Hashable, Sendable, CustomStringConvertible {
    package var key: String
    package var path: String
    package var reason: String
    package var description: String { "\(key) (\(path)) can't be used: \(reason)" }
}
