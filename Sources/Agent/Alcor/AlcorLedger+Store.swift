import Foundation
import HawserProtocol
import Store

extension AlcorLedger {
    /// The ledger as it was stored. What can't be read any more is left out; `complain` is told of it.
    init(_ stored: [Store.AlcorState], _ settings: Settings.Alcor, complain: (Key, any Error) -> Void) {
        let entries = stored.map { state in
            let type = Alcor_Schema_ResourceType(rawValue: state.type) ?? .UNRECOGNIZED(state.type)
            return (Key(type: type, id: state.id), Entry(revision: state.revision, content: state.content))
        }
        self.init(Dictionary(uniqueKeysWithValues: entries), settings, complain: complain)
    }

    /// What is to be stored, in the order of the table.
    var changes: [Store.AlcorState] {
        unsaved.sorted { ($0.key.type.rawValue, $0.key.id) < ($1.key.type.rawValue, $1.key.id) }.map {
            key, entry in
            Store.AlcorState(
                type: key.type.rawValue, id: key.id, revision: entry?.revision ?? 0,
                content: entry?.content ?? Data(),
                isForgotten: entry == nil)
        }
    }
}
