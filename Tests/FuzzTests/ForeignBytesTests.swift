import OwnThreads
import PolicyModel
import Testing

@Suite("Bytes of others", .ownThreads) struct ForeignBytesTests {
    @Test("do no harm: neither what is known of them, nor that with changes", arguments: FuzzTarget.allCases)
    func replay(target: FuzzTarget) throws {
        let corpus = try Corpus(of: target)
        #expect(!corpus.inputs.isEmpty, "there is nothing to begin with")
        for (file, bytes) in corpus.inputs { #expect(throws: Never.self, "\(file)") { try target.read(bytes) } }
        var random = Seeded(7)
        for number in 0..<400 {
            let bytes = corpus.mutated(&random)
            #expect(throws: Never.self, "mutation \(number): \(bytes)") { try target.read(bytes) }
        }
    }
}
