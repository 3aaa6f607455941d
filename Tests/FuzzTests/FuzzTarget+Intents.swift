import Foundation
import HostNetwork
import Store

@testable import Agent
@testable import Kernel

/// Intents as people and controllers write them, from the text to the bytes that the kernel would get.
extension FuzzTarget {
    func readJSON(_ bytes: [UInt8]) throws {
        guard let document = try? JSONParser.parse(bytes) else { return }
        let text = document.json
        guard try JSONParser.parse(text.utf8) == document || document.holdsDouble else { throw Contradiction("JSON read back: \(text)") }
        try take([document])
    }

    func readYAML(_ bytes: [UInt8]) throws {
        let documents: [Document]
        do throws(UnreadableText) {
            documents = try IntentReader.documents(in: Data(bytes), named: "fuzz.yaml")
        } catch {
            guard error.reason.utf8.count < 2000 else { throw Contradiction("an endless reason") }
            return
        }
        try take(documents)
    }

    private func take(_ documents: [Document]) throws {
        _ = Mentions(documents)
        let page = IntentBook.Page(documents)
        for rejected in page.rejected where rejected.value.utf8.count > 404 { throw Contradiction("an endless value") }
        try realize(page.intents)
    }

    /// Takes intents in, and makes of them what would be sent.
    func realize(_ intents: [Intent]) throws {
        let again = IntentFile.decode(IntentFile.encode(intents))
        // In a file of its own no name comes twice.
        guard Set(again.intents) == Set(intents), again.rejected.isEmpty else { throw Contradiction("intents written and read: \(again)") }
        var taken = Intents()
        _ = taken.upsert(contentsOf: intents)
        var map = DomainMap()
        _ = map.take(taken.all.map { (nil, $0) }, in: taken)
        for domain in map.there {
            let seen = taken.seen(by: domain, in: map)
            let desired = Desired(intents: seen, layout: Layout(), attachable: Set(seen.pods.keys), epochs: [:])
            let plan = Plan(from: HostState(), to: desired.state)
            guard HostState().applying(plan) == desired.state else { throw Contradiction("a plan misses its goal") }
            let operations = plan.parts.firewall
            let count = FirewallBatch.messages(for: operations, handles: [:])
            let batch = FirewallBatch(operations, sequences: 1...UInt32(count), flags: [:], handles: [:])
            // Read back as if the kernel had said it.
            try FuzzTarget.nftables.read(batch.bytes)
        }
    }
}

extension Document {
    /// Numbers with a point may be read back as others that are as near.
    fileprivate var holdsDouble: Bool {
        switch self {
        case .double: true
        case .list(let items): items.contains(where: \.holdsDouble)
        case .map(let entries): entries.contains { $0.1.holdsDouble }
        case .null, .bool, .int, .string: false
        }
    }
}
