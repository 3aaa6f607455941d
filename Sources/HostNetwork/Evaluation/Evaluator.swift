/// Says what a state's rules make of a packet, statement by statement as the kernel does (`nft_do_chain`, net/netfilter/nf_tables_core.c).
///
/// It reads the state once and then judges any number of packets; a packet costs what it meets.
package struct Evaluator: Sendable {
    fileprivate struct Line {
        var statements: Statements
        var entry: Entry
    }

    private struct Base: Hashable {
        var table: TableFamily
        var hook: Chain.Hook
    }

    /// As deep as chains may jump (`NFT_JUMP_STACK_SIZE`, net/netfilter/nf_tables.h); the kernel takes no deeper ruleset.
    private static let deepest = 16

    private var bases: [Base: [Chain]] = [:]
    private var chains: [Named: [Line]] = [:]
    private var sets: [Named: SetIndex] = [:]

    package init(_ state: HostState) {
        var rules: [Named: [Line]] = [:]
        for entry in state.entries.values {
            switch entry.object {
            case .chain(let chain):
                chains[chain.id] = chain.body.map { Line(statements: $0, entry: entry) }
                if let base = chain.base { bases[Base(table: chain.id.family, hook: base.hook), default: []].append(chain) }
            case .rule(let rule): rules[rule.chain, default: []].append(Line(statements: rule.statements, entry: entry))
            case .set(let set): sets[set.id] = SetIndex(set)
            case .element, .table, .link, .address, .route, .neighbor, .tunnel, .forwarding, .tableRule: continue
            }
        }
        for entry in state.entries.values {
            if case .element(let element) = entry.object { sets[element.set]?.insert(element, entry) }
        }
        for id in sets.keys { sets[id]?.close() }
        // Their order doesn't matter to the verdict; a fixed one gives a fixed reason.
        for (id, lines) in rules { chains[id, default: []] += lines.sorted { $0.sortKey.lexicographicallyPrecedes($1.sortKey) } }
        for hook in bases.keys { bases[hook]?.sort { ($0.base?.priority ?? 0, $0.id) < ($1.base?.priority ?? 0, $1.id) } }
    }

    package static func judge(_ packet: Packet, in state: HostState) -> Judgement { Evaluator(state).judge(packet) }

    package func judge(_ packet: Packet) -> Judgement {
        var judgement = Judgement(packet: packet)
        if let refusal = arrive(packet) {
            judgement.halves = [refusal]
            return judgement
        }
        for chain in bases[Base(table: packet.table, hook: packet.hook)] ?? [] {
            var half = Judgement.Half(base: chain.id, isAccepted: true, steps: [])
            half.isAccepted = run(chain.id, &judgement.packet, &half.steps, depth: 0) ?? true
            judgement.halves.append(half)
            if !half.isAccepted { break }
        }
        return judgement
    }

    /// The half of a base chain that drops the packet before it is routed; nil: it is routed.
    private func arrive(_ packet: Packet) -> Judgement.Half? {
        guard packet.hook == .forward || packet.hook == .input else { return nil }
        for chain in bases[Base(table: packet.table, hook: .prerouting)] ?? [] {
            var half = Judgement.Half(base: chain.id, isAccepted: true, steps: [])
            var arriving = packet
            (arriving.outgoing, arriving.tracking) = (nil, .none)
            half.isAccepted = run(chain.id, &arriving, &half.steps, depth: 0) ?? true
            if !half.isAccepted { return half }
        }
        return nil
    }

    /// Whether the packet is accepted; nil: the chain ends without a verdict.
    private func run(_ chain: Named, _ packet: inout Packet, _ steps: inout [Judgement.Step], depth: Int) -> Bool? {
        guard depth <= Self.deepest else { return false }
        for line in chains[chain] ?? [] {
            var step = Judgement.Step(chain: chain, statements: line.statements, line: line.entry, elements: [], verdict: nil)
            guard apply(line.statements, of: chain.family, to: &packet, &step) else { continue }
            steps.append(step)
            switch step.verdict {
            case nil: continue
            case .accept: return true
            case .drop: return false
            case .return: return nil
            case .goto(let target): return run(Named(chain.family, target), &packet, &steps, depth: depth + 1)
            case .jump(let target):
                if let verdict = run(Named(chain.family, target), &packet, &steps, depth: depth + 1) { return verdict }
            }
        }
        return nil
    }

    /// Whether the rule holds to its end, or to its verdict.
    private func apply(_ statements: Statements, of table: TableFamily, to packet: inout Packet, _ step: inout Judgement.Step) -> Bool {
        for statement in statements {
            switch statement {
            case .equal(let selector, let value): guard packet.number(selector) == value else { return false }
            // An interface that isn't said is none of Hawser's.
            case .unequal(let selector, let value): guard packet.number(selector) != value else { return false }
            case .within(let selector, let range): guard packet.number(selector).map(range.contains) ?? false else { return false }
            case .among(let selector, let range): guard packet.address(selector).map(range.contains) ?? false else { return false }
            case .family(let family): guard packet.family == family else { return false }
            // A packet is whole here, as when it is judged.
            case .fragment: return false
            case .whole(let family): guard packet.family == family else { return false }
            case .lookup(let selectors, let set):
                guard let found = find(selectors, in: Named(table, set), packet) else { return false }
                step.elements.append(found)
            case .dispatch(let selectors, let map):
                guard let found = find(selectors, in: Named(table, map), packet), let verdict = found.object.element?.verdict else {
                    return false
                }
                step.elements.append(found)
                step.verdict = verdict
                return true
            case .mark(let keep, let set):
                // A packet without a flow has no mark to begin with, which ends the rule.
                guard let mark = packet.mark else { return false }
                packet.mark = mark & keep | set
            case .counter: continue
            case .foreign: return false
            case .verdict(let verdict):
                step.verdict = verdict
                return true
            }
        }
        return true
    }

    private func find(_ selectors: [Selector], in set: Named, _ packet: Packet) -> Entry? {
        var key = KeyBytes()
        for selector in selectors {
            guard packet.append(selector, to: &key) else { return nil }
        }
        return sets[set]?.find(key.bytes)
    }
}

extension Evaluator.Line {
    fileprivate var sortKey: [String] { [entry.comment] + statements.map(\.text) }
}
