package import GRPCCore
import HawserAPI
import HostNetwork
package import HawserProtocol
import SwiftProtobuf

/// The standard health protocol: serving while the host is as the accepted intents want it, as far as it can be now.
package struct HealthService: Grpc_Health_V1_Health.SimpleServiceProtocol {
    let reconciler: any Reconciling
    let journal: Journal

    /// The names that can be asked for; the empty one is the host as a whole.
    private static let names: Set<String> = ["", "hawser.v1.Push"]

    package func check(
        request: Grpc_Health_V1_HealthCheckRequest, context: ServerContext
    ) async throws -> Grpc_Health_V1_HealthCheckResponse {
        guard Self.names.contains(request.service) else {
            throw RPCError(code: .notFound, message: "there is no service \(request.service.excerpt) here")
        }
        let now = await status()
        return .with { $0.status = now }
    }

    package func watch(
        request: Grpc_Health_V1_HealthCheckRequest, response: RPCWriter<Grpc_Health_V1_HealthCheckResponse>, context: ServerContext
    ) async throws {
        let isKnown = Self.names.contains(request.service)
        // The health can only differ when something happens.
        let follower = journal.follow()
        defer { follower.hangUp() }
        var last = isKnown ? await status() : .serviceUnknown
        try await response.write(.with { $0.status = last })
        for await _ in follower.stream where isKnown {
            let now = await status()
            guard now != last else { continue }
            last = now
            try await response.write(.with { $0.status = now })
        }
        try await response.write(.with { $0.status = isKnown ? .notServing : .serviceUnknown })
    }

    private func status() async -> Grpc_Health_V1_HealthCheckResponse.ServingStatus {
        await reconciler.status().ready ? .serving : .notServing
    }
}
