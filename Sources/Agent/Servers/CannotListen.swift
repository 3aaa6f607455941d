import GRPCCore
import GRPCNIOTransportHTTP2
import NIOCore
import SystemPackage

/// A server can't listen where it should.
struct CannotListen: Error, CustomStringConvertible {
    /// The setting, and what it says.
    var place: String
    var cause: any Error

    var description: String {
        // The libraries wrap what the system said, and name the function that it was said to.
        let inner = (cause as? RuntimeError)?.cause ?? cause
        let words = (inner as? IOError).map { "\(Errno(rawValue: $0.errnoCode))" } ?? "\(inner)"
        return "can't listen at \(place): \(words)"
    }
}

extension HTTP2ServerTransport.Posix {
    /// Returns when it is bound.
    ///
    /// - Parameter serving: serves by this transport. Why it can't is said there, and not by the transport.
    func listens(at place: String, _ serving: inout ThrowingTaskGroup<Void, any Error>) async throws {
        do { _ = try await listeningAddress } catch {
            do { try await serving.waitForAll() } catch let cause { throw CannotListen(place: place, cause: cause) }
            throw error
        }
    }
}
