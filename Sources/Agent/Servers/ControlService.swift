package import GRPCCore
package import HawserProtocol

/// What the control socket offers beside the push: reads the wire, asks the reconciler, writes the wire.
package struct ControlService: Hawser_V1_Control.SimpleServiceProtocol {
    let reconciler: any Reconciling

    package func resync(request: Hawser_V1_ResyncRequest, context: ServerContext) async throws -> Hawser_V1_PushReply {
        Hawser_V1_PushReply(id: "", await reconciler.resync())
    }
}
