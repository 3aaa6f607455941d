import Foundation
package import GRPCCore
package import HawserProtocol
import HostNetwork

/// What the control socket offers: reads the wire, asks the reconciler, writes the wire.
package struct ControlService: Hawser_V1_Control.SimpleServiceProtocol {
    let reconciler: any Reconciling

    package func apply(request: Hawser_V1_ApplyRequest, context: ServerContext) async throws -> Hawser_V1_ApplyReply {
        var documents: [Document] = []
        for document in request.documents {
            do {
                documents += try IntentReader.documents(in: document.content, named: document.name)
            } catch {
                throw RPCError(code: .invalidArgument, message: "\(error); nothing is changed")
            }
        }
        let page = IntentBook.Page(documents)
        let change = Change(upserts: page.intents, rejected: page.rejected, prune: request.prune)
        guard !(request.prune && page.isUncertain) else {
            // Pruning would delete the very resource that was meant.
            let reason = page.rejected.filter { $0.intent == nil }.map(\.description).joined(separator: "; ")
            throw RPCError(
                code: .invalidArgument, message: "can't prune by documents with unnamed resources: \(reason); nothing is changed")
        }
        var report = await reconciler.reconcile(change, source: Source.control, dryRun: request.dryRun)
        report.answers = Mentions(documents).inOrder(report.answers)
        return Hawser_V1_ApplyReply(report)
    }

    package func delete(request: Hawser_V1_DeleteRequest, context: ServerContext) async throws -> Hawser_V1_ApplyReply {
        var change = Change()
        for resource in request.resources {
            guard let kind = Kind(named: resource.kind) else {
                let valid = Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw RPCError(
                    code: .invalidArgument, message: "kind: \(resource.kind): there is no such kind (valid: \(valid)); nothing is changed")
            }
            if IDText.isValid(resource.id) {
                change.deletions.append(IntentID(kind, resource.id))
            } else {
                change.rejected.append(
                    Rejected(intent: IntentID(kind, resource.id), field: "id", value: resource.id, reason: "not an id", valid: IDText.valid)
                )
            }
        }
        return Hawser_V1_ApplyReply(await reconciler.reconcile(change, source: Source.control, dryRun: request.dryRun))
    }

    package func resync(request: Hawser_V1_ResyncRequest, context: ServerContext) async throws -> Hawser_V1_ApplyReply {
        Hawser_V1_ApplyReply(await reconciler.resync())
    }
}
