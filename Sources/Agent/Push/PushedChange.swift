import GRPCCore
import HawserProtocol
import HostNetwork
import SwiftProtobuf

/// What a push asks for, as the reconciler takes it, and the order in which its resources are to be answered.
struct PushedChange {
    var change: Change
    let mentions: Mentions

    /// A delta.
    init(_ delta: Hawser_V1_Delta, scope: Scope?) {
        let document = delta.upserts.document
        self.init(document, isWhole: false, scope: scope)
        let upserted = Set(change.upserts.map(\.id))
        for deletion in delta.deletions {
            do throws(Rejected) {
                let id = try deletion.named()
                guard !upserted.contains(id) else {
                    throw Rejected(intent: id, field: "", reason: "pushed and deleted at once", valid: "one of the two")
                }
                change.deletions.append(id)
                change.deletedRevisions[id] = deletion.revision
            } catch {
                change.rejected.append(error)
            }
        }
    }

    /// A snapshot, all pieces together. Throws when a resource can't be told by its name, for then nobody knows what would have to go.
    init(snapshot: Hawser_V1_Resources, revision: UInt64 = 0, scope: Scope?) throws {
        self.init(snapshot.document, isWhole: true, scope: scope)
        change.wholeRevision = revision
        let unnamed = change.rejected.filter { $0.intent == nil }
        guard unnamed.isEmpty else {
            let reasons = unnamed.map(\.description).joined(separator: "; ")
            throw RPCError(code: .invalidArgument, message: "the snapshot has resources without a name: \(reasons); nothing is changed")
        }
    }

    /// Intents as text. Throws when a document can't be read as a whole, or when they are to be the whole and a resource can't be told by its
    /// name.
    ///
    /// - Parameter mostValues: of all texts together.
    init(_ documents: Hawser_V1_Documents, scope: Scope?, mostValues: Int = Document.mostValues) throws {
        var read: [Document] = []
        var left = mostValues
        for document in documents.documents {
            do throws(UnreadableText) {
                read += try IntentReader.documents(in: document.content, named: document.name, values: &left)
            } catch {
                throw RPCError(code: .invalidArgument, message: "\(error); nothing is changed")
            }
        }
        let page = IntentBook.Page(read)
        guard !(documents.prune && page.isUncertain) else {
            // Pruning would delete the very resource that was meant.
            let reason = page.rejected.filter { $0.intent == nil }.map(\.description).joined(separator: "; ")
            throw RPCError(
                code: .invalidArgument, message: "can't prune by documents with unnamed resources: \(reason); nothing is changed")
        }
        change = Change(upserts: page.intents, rejected: page.rejected, prune: documents.prune, scope: scope)
        mentions = Mentions(read)
    }

    private init(_ document: Document, isWhole: Bool, scope: Scope?) {
        let decoded = IntentFile.decode(document)
        change = Change(upserts: decoded.intents, rejected: decoded.rejected, prune: isWhole, scope: scope)
        mentions = Mentions([document])
    }
}

extension Hawser_V1_Deletion {
    fileprivate func named() throws(Rejected) -> IntentID {
        let valid = Kind.allCases.map(\.rawValue).joined(separator: ", ")
        guard unknownFields.data.isEmpty, let kind = kind.kind else {
            throw Rejected(intent: nil, field: "deletions.kind", value: "\(kind.rawValue)", reason: "there is no such kind", valid: valid)
        }
        guard IDText.isValid(id) else {
            throw Rejected(intent: IntentID(kind, id), field: "id", value: id, reason: "not an id", valid: IDText.valid)
        }
        return IntentID(kind, id)
    }
}

extension Hawser_V1_Kind {
    init(_ kind: Kind) {
        switch kind {
        case .network: self = .network
        case .securityGroup: self = .securityGroup
        case .addressGroup: self = .addressGroup
        case .pod: self = .pod
        case .neighbor: self = .neighbor
        case .elasticIP: self = .elasticIp
        }
    }

    var kind: Kind? { Kind.allCases.first { Hawser_V1_Kind($0) == self } }
}
