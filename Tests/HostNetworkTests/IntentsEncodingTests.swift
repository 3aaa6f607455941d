import HostNetwork
import PolicyModel
import Testing

@Suite("A document of intents") struct IntentsEncodingTests {
    @Test("gives the same intents back that it was made of", arguments: 0..<100)
    func roundTrip(seed: Int) {
        var random = Seeded(seed)
        let drawn = Dictionary((0..<40).map { _ in random.intent() }.map { ($0.id, $0) }) { $1 }
        let intents = drawn.values.sorted { $0.id < $1.id }
        let (decoded, rejected) = IntentFile.decode(IntentFile.encode(intents))
        #expect(rejected.isEmpty)
        #expect(decoded == intents)
        #expect(IntentFile.encode(decoded) == IntentFile.encode(intents))
    }

    @Test("keeps revisions of any size")
    func revisions() {
        for revision in [0, 1, UInt64(Int.max), UInt64.max] {
            let intent = Intent.network(Network(id: "blue", revision: revision))
            #expect(IntentFile.decode(IntentFile.encode([intent])).intents == [intent])
        }
    }

    @Test("that is empty says nothing", arguments: [Document.null, [:], ["pods": []], ["pods": .null]])
    func empty(document: Document) {
        let (intents, rejected) = IntentFile.decode(document)
        #expect(intents.isEmpty && rejected.isEmpty)
    }
}
