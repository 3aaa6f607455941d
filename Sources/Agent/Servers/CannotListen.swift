import GRPCNIOTransportHTTP2

/// A server can't listen where it should.
struct CannotListen: Error, CustomStringConvertible {
    /// The setting, and what it says.
    var place: String
    /// The system's words.
    var cause: any Error
    var description: String { "can't listen at \(place): \(cause)" }
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
