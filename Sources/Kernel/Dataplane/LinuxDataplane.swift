package import HostNetwork
package import Netlink
import SystemPackage

/// The kernel of one routing domain: the namespace that the thread was in which opened it.
package final class LinuxDataplane: Dataplane {
    private var links: LinkTable
    private var firewall: Firewall
    private var tracked: FlowTable
    private let marks: MarkLayout
    /// Addresses whose flows may bear stamps of epochs that began anew: a packet may have been under way when they were wiped.
    private var rewound: [AddressRange] = []
    /// Of these it couldn't be done even once: no epoch that was used before may be in force.
    private var unwiped: [AddressRange] = []

    /// Which socket of the dataplane's something goes out by.
    package enum Outlet: Hashable, Sendable {
        case firewall
        /// Links, addresses and routes of the host side.
        case host
        /// The same of pod sides, in the network namespace at this path.
        case pod(String)
    }

    package typealias Listener = @Sendable (Outlet, Span<UInt8>) -> Void

    /// Called with every datagram that goes to the kernel, before it does: `Benchmarks` sends the same bytes again, which shows what of
    /// the time is the kernel's own. Nobody listens in the daemon.
    package var onSend: Listener? {
        didSet {
            links.onSend = onSend
            firewall.socket.onSend = Self.tap(onSend, .firewall)
        }
    }

    /// What a socket tells of what it sends.
    static func tap(_ listener: Listener?, _ outlet: Outlet) -> (@Sendable (Span<UInt8>) -> Void)? {
        guard let listener else { return nil }
        return { bytes in listener(outlet, bytes) }
    }

    static func hears(_ listener: Listener?, _ outlet: Outlet) -> (@Sendable (Span<UInt8>) -> Void)? {
        guard let listener else { return nil }
        return { (bytes: Span<UInt8>) in listener(outlet, bytes) }
    }

    /// - Parameter owned: whether the nftables tables are to be this process's own, where the kernel can do so.
    package convenience init(marks: MarkLayout, owned: Bool = true) throws(TransportError) {
        try self.init(LinkTable(), marks, owned: owned)
    }

    /// - Parameters:
    ///   - owned: as above.
    ///   - underlay: the namespace that packets of tunnels go out in.
    package convenience init(marks: MarkLayout, owned: Bool = true, over underlay: borrowing NetworkNamespace) throws(OpenFailure) {
        let links = try LinkTable(over: underlay)
        do throws(TransportError) { try self.init(links, marks, owned: owned) } catch { throw .transport(error) }
    }

    private init(_ links: consuming LinkTable, _ marks: MarkLayout, owned: Bool) throws(TransportError) {
        let firewall = try Firewall(owned: owned)
        let tracked = try FlowTable()
        self.links = links
        self.firewall = firewall
        self.tracked = tracked
        self.marks = marks
    }

    /// For a routing domain that is a namespace of its own; its tunnels' packets go out in `underlay`.
    package static func open(
        in namespace: borrowing NetworkNamespace, marks: MarkLayout, owned: Bool = true, over underlay: borrowing NetworkNamespace
    ) throws(OpenFailure) -> sending LinuxDataplane {
        let made: Result<LinuxDataplane, OpenFailure>
        do throws(NamespaceError) {
            made = try namespace.inside {
                do throws(OpenFailure) { return .success(try LinuxDataplane(marks: marks, owned: owned, over: underlay)) } catch {
                    return .failure(error)
                }
            }
        } catch {
            throw .namespace(error)
        }
        return try made.get()
    }

    /// The addresses of the sockets that change links and the ruleset, which are in the events that they lead to.
    package var ports: KernelEvents.Ports { .init(links: [links.port], firewall: firewall.socket.port) }

    /// Listens at pod sides, too, from the next look on.
    package func watchPods() throws(TransportError) -> PodSides {
        let sides = try PodSides()
        links.sides = sides
        return sides
    }

    package func stamps() throws -> [Entry] { try firewall.elements(of: BaseSet.fresh(.out).set) }

    package func observe(expecting desired: @autoclosure () throws -> HostState) throws -> HostState {
        let (listing, desired) = try firewall.list(beside: desired)
        // What the ruleset amounts to is worked out while links and pod sides are asked for.
        let ruleset = Beside(isLong: listing.isLong) { HostState(listing.entries(expecting: desired)) }
        var places: [LinkName: LinkTable.Place] = [:]
        for link in desired.links { places[link.name] = LinkTable.Place(link, in: desired) }
        let objects = try links.observe(places)
        var state = ruleset.take()
        for object in objects { state.insert(Entry(object, in: desired)) }
        return state
    }

    package func look(at suspects: Suspects, expecting desired: HostState) throws -> Look {
        var look = Look(HostState())
        links.untold = [:]
        for (name, words) in try links.mark(suspects.unmarked) { look.restored[name, default: []].append(words) }
        if suspects.concernsRuleset {
            for entry in try firewall.list(only: suspects, beside: {}).listing.entries(expecting: desired) { look.found.insert(entry) }
        }
        guard suspects.concernsLinks else { return look }
        links.usurped.formUnion(suspects.usurped)
        let wanted = suspects.links.compactMap { name in if case .link(let link)? = desired[.link(name)] { link } else { nil } }
        for (name, words) in try links.rename(wanted) { look.restored[name, default: []].append(words) }
        let all = suspects.links.union(suspects.sides)
        var places: [LinkName: LinkTable.Place] = [:]
        for name in all { if case .link(let link)? = desired[.link(name)] { places[name] = LinkTable.Place(link, in: desired) } }
        var objects = all.isEmpty ? [] : try links.observe(places, only: suspects.links, inside: suspects.sides.subtracting(suspects.links))
        if suspects.elsewhere { objects += try links.observeElsewhere() }
        for object in objects { look.found.insert(Entry(object, in: desired)) }
        return look
    }

    package func stand(on ground: Ground) { links.ground = ground }

    package var untold: [LinkName: Untold] { links.untold }

    package func adopt(_ believed: HostState) throws {
        let tables = TableFamily.allCases.compactMap { believed.entries[.table($0)] }
        guard firewall.isOwner, !tables.isEmpty else { return }
        var figures = Firewall.Figures()
        let refusals = firewall.apply(tables.map { HostNetwork.Operation(.add, $0) }, &figures)
        if let refusal = refusals.first { throw refusal }
    }

    package func apply(_ plan: Plan) -> Applied {
        var applied = Applied()
        links.awaited = plan.awaited
        let (before, transaction, after) = plan.parts
        // Old stamps are wiped while the epochs that they might be taken for aren't in force yet; if they can't be, those epochs must wait.
        rewound += plan.rewound
        unwiped += plan.rewound
        if let failure = wipeStamps(of: unwiped, &applied) {
            applied.refusals += plan.steps.map { Refusal($0, failure, "stamps of its former bindings can't be taken from tracked flows") }
            return applied
        }
        unwiped = []
        take(before, &applied)
        if applied.isUncertain { return applied.leaving(transaction + after, "what became of the steps before it isn't known") }
        guard commit(transaction, &applied) else {
            // What is still in force keeps its flows. What may not be is looked at first, and owes them until then.
            if applied.isUncertain {
                applied.unforgotten += plan.forgotten
            } else {
                let done = applied.done
                forget(plan.forgotten.filter { range in done.contains { $0.takesAway(range) } }, of: plan, &applied)
            }
            // Fail closed: without its policy no link comes up.
            return applied.leaving(after, "the policy was refused")
        }
        // Who has these addresses next starts with no flow of who had them.
        guard forget(plan.forgotten, of: plan, &applied) else { return applied.leaving(after, "tracked flows can't be deleted") }
        take(after, &applied)
        return applied
    }

    package func settle(_ stamps: [HostNetwork.Operation]) -> Applied {
        var applied = Applied()
        if let failure = wipeStamps(of: rewound, &applied) {
            applied.refusals += stamps.map { Refusal($0, failure, "stamps of its former bindings can't be taken from tracked flows") }
            return applied
        }
        rewound = []
        _ = commit(stamps, &applied)
        return applied
    }

    package func counters(of objects: [Object]) throws -> [Object.Key: Counter] { try firewall.counters(of: objects) }

    package func indices(of names: Set<LinkName>) throws -> [LinkName: Int] {
        try links.find(names).filter { $0.value.isOurs }.mapValues { Int($0.index.value) }
    }

    package func route(to address: IPAddress) throws -> HostRoute { try links.route(to: address) }

    package func forgetFlows(of addresses: [AddressRange]) throws {
        for address in addresses { _ = try tracked.delete(of: address) }
    }

    package func generation() throws -> UInt32 { try firewall.generation() }

    // MARK: Parts of a plan

    private func take(_ operations: [HostNetwork.Operation], _ applied: inout Applied) {
        guard !operations.isEmpty else { return }
        let clock = ContinuousClock()
        let start = clock.now
        // Only links are asked of it: every operation has a step.
        let steps = operations.compactMap { LinkStep($0) }
        var isUncertain = false
        let refusals = links.apply(steps, &isUncertain)
        applied.isUncertain = applied.isUncertain || isUncertain
        applied.kernel += clock.now - start
        applied.messages += steps.count
        let refused = Set(refusals.map(\.index))
        for index in operations.indices where !refused.contains(index) { applied.done.append(operations[index]) }
        applied.refusals += refusals.map {
            Refusal(operations[$0.index], errno: $0.errno.rawValue, explanation: $0.explanation, isInside: $0.isInside)
        }
    }

    /// Whether all of it is in force.
    private func commit(_ operations: [HostNetwork.Operation], _ applied: inout Applied) -> Bool {
        var transactions = Transactions(operations)
        while let transaction = transactions.next() {
            var figures = Firewall.Figures()
            let refusals = firewall.apply(transaction, &figures)
            transactions.took(figures.time, for: transaction.count)
            applied.kernel += figures.time
            applied.messages += figures.messages
            applied.bytes += figures.bytes
            guard refusals.isEmpty else {
                applied.refusals += refusals
                applied.isUncertain = applied.isUncertain || figures.isUncertain
                return false
            }
            applied.done += transaction
        }
        // Nobody but other users of nftables commits in between, and a generation is for people to compare.
        if !operations.isEmpty { applied.generation = try? firewall.generation() }
        return true
    }

    /// Whether all flows of addresses that nobody has any more are gone; those that aren't are told.
    @discardableResult
    private func forget(_ ranges: [AddressRange], of plan: Plan, _ applied: inout Applied) -> Bool {
        guard !ranges.isEmpty else { return true }
        return timed(&applied) { applied in
            for (number, range) in ranges.enumerated() {
                do throws(TransportError) { _ = try tracked.delete(of: range) } catch {
                    // The next ones would fare alike, and each might wait as long for an answer.
                    let left = ranges[number...]
                    applied.unforgotten += left
                    let removals = left.map { range in plan.steps.first { $0.takesAway(range) } ?? plan.steps.first }
                    applied.refusals += removals.compactMap(\.self).map { Refusal($0, error, "its tracked flows can't be deleted") }
                    return false
                }
            }
            return true
        }
    }

    /// What kept it from being done, if something did.
    private func wipeStamps(of addresses: [AddressRange], _ applied: inout Applied) -> TransportError? {
        timed(&applied) { _ in
            do throws(TransportError) { _ = try tracked.clear(marks.mask, of: addresses) } catch { return error }
            return nil
        }
    }

    private func timed<Result>(_ applied: inout Applied, _ body: (inout Applied) -> Result) -> Result {
        let clock = ContinuousClock()
        let start = clock.now
        defer { applied.kernel += clock.now - start }
        return body(&applied)
    }
}

extension Applied {
    /// With the refusals of what wasn't tried.
    fileprivate func leaving(_ operations: [HostNetwork.Operation], _ reason: String) -> Applied {
        var applied = self
        applied.refusals += operations.map { Refusal($0, errno: Errno.canceled.rawValue, explanation: "not tried: \(reason)") }
        return applied
    }
}

extension Refusal {
    fileprivate init(_ operation: HostNetwork.Operation, _ error: TransportError, _ what: String) {
        self.init(operation, errno: error.errno.rawValue, explanation: "\(what): \(error)")
    }
}

extension Entry {
    /// Whose an object is, where it is still wanted.
    fileprivate init(_ object: LinkObject, in desired: HostState) {
        let object = Object(object)
        self.init(object, because: desired.entries[object.key]?.because ?? object.owner(in: desired))
    }
}

extension LinkTable.Place {
    /// With what is wanted there.
    fileprivate init(_ link: Link, in desired: HostState) {
        self.init(namespace: link.namespace, interface: link.interface)
        for key in desired.keys(on: link.name) {
            switch key {
            case .address(let end, let address) where end.side == .pod: addresses.insert(address)
            case .neighbor(let end, let address) where end.side == .pod: neighbors.insert(address)
            default: continue
            }
        }
    }
}

extension Object {
    fileprivate init(_ object: LinkObject) {
        switch object {
        case .link(let link): self = .link(link)
        case .address(let address): self = .address(address)
        case .route(let route): self = .route(route)
        case .neighbor(let neighbor): self = .neighbor(neighbor)
        case .tunnel(let tunnel): self = .tunnel(tunnel)
        case .forwarding(let entry): self = .forwarding(entry)
        case .tableRule(let rule): self = .tableRule(rule)
        }
    }

    /// Whose it was, if nobody wants it any more.
    fileprivate func owner(in desired: HostState) -> IntentID {
        if case .link(let link) = self { return link.pod.intent }
        if case .tunnel(let tunnel) = self { return tunnel.network.intent }
        guard let link, let entry = desired.entries[.link(link)] else { return Layout.because }
        return entry.because
    }

    fileprivate var linkObject: LinkObject? {
        switch self {
        case .link(let link): .link(link)
        case .address(let address): .address(address)
        case .route(let route): .route(route)
        case .neighbor(let neighbor): .neighbor(neighbor)
        case .tunnel(let tunnel): .tunnel(tunnel)
        case .forwarding(let entry): .forwarding(entry)
        case .tableRule(let rule): .tableRule(rule)
        case .table, .chain, .set, .rule, .element: nil
        }
    }
}

extension LinkStep {
    fileprivate init?(_ operation: HostNetwork.Operation) {
        guard let object = operation.object.linkObject else { return nil }
        switch operation.action {
        case .add: self = .add(object)
        case .change(let from):
            guard let from = from.linkObject else { return nil }
            self = .change(from: from, to: object)
        case .remove: self = .remove(object)
        }
    }
}
