package import GRPCCore
import GRPCProtobuf
import HawserProtocol

extension AlcorService {
    /// Goal states are counted before they are read.
    package func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        typealias Method = Alcor_Schema_GoalStateProvisioner.Method
        router.unary(Method.PushNetworkResourceStates.descriptor, CountingDeserializer(.goalState)) { request, context in
            try await access.serve(request, context) { message, _, _ in
                try await pushNetworkResourceStates(request: message, context: context)
            }
        }
        router.unary(Method.PushGoalstates.descriptor, CountingDeserializer(.neighborRules)) { request, context in
            try await access.serve(request, context) { message, _, _ in try await pushGoalstates(request: message, context: context) }
        }
        router.stream(Method.PushGoalStatesStream.descriptor, CountingDeserializer<Alcor_Schema_GoalStateV2>(.goalStateV2)) {
            request, writer, context in
            let (client, call) = (try client(of: context), access.call(of: request.metadata))
            // One message after the other: the next is read when the last is answered, so a sender is held to what the kernel takes.
            for try await counted in request.messages {
                let (message, room) = try await access.read(counted, client, call)
                let reply = try await push(message, client)
                if let call { try await call.writes { try await writer.write(reply) } } else { try await writer.write(reply) }
                withExtendedLifetime(room) {}
            }
        }
        router.unary(Method.RequestGoalStates.descriptor, SmallDeserializer()) { request, context in
            try await requestGoalStates(request: request.message, context: context)
        }
    }
}
