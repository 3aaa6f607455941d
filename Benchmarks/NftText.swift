import HostNetwork

/// Operations as a file for `nft -f`.
struct NftText {
    /// The type of a set.
    var set: (Named) -> NamedSet?
    /// Parts of the text that are replaced: the change is made for somebody else.
    var replacing: [(String, String)]

    /// The other's epochs have chains of their own.
    static let ownEpochs = [("epoch-in-", "epoch-nft-in-"), ("epoch-out-", "epoch-nft-out-")]

    /// Nil when there is something among them that the measured changes don't have.
    func text(of operations: [Operation]) -> String? {
        var lines: [String] = []
        for operation in operations {
            switch operation.object {
            case .element(let element):
                guard let set = set(element.set) else { return nil }
                let key = Self.text(element.key, set.key)
                if operation.action == .remove {
                    lines.append("delete element \(element.set.text) { \(key) }")
                } else {
                    let verdict = element.verdict.map { " : \($0.text)" } ?? ""
                    lines.append("add element \(element.set.text) { \(key) comment \"\(operation.entry.comment)\"\(verdict) }")
                }
            case .chain(let chain):
                let verb = operation.action == .add ? "add" : operation.action == .remove ? "delete" : "flush"
                lines.append("\(verb) chain \(chain.id.text)")
                guard operation.action != .remove else { continue }
                lines += chain.body.map { "add rule \(chain.id.text) \($0.map(\.text).joined(separator: " "))" }
            default: return nil
            }
        }
        return replacing.reduce(lines.joined(separator: "\n") + "\n") { $0.replacing($1.0, with: $1.1) }
    }

    /// The fields of a key, each padded to four bytes.
    private static func text(_ key: [UInt8], _ types: [FieldType]) -> String {
        var rest = key[...]
        return types.map { type in
            let bytes = Array(rest.prefix(type.length))
            rest = rest.dropFirst(type.paddedLength)
            switch type {
            case .ifname: return "\"\(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))\""
            case .etherAddress: return bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(separator: ":")
            case .ipv4Address, .ipv6Address: return IPAddress(bytes: bytes).map { "\($0)" } ?? ""
            case .mark: return hex(KeyBytes.mark(in: bytes))
            default: return "\(bytes.reduce(0) { $0 << 8 | Int($1) })"
            }
        }.joined(separator: " . ")
    }
}
