/// Where plans are carried out: the Linux kernel, or a model of it.
package protocol Dataplane: AnyObject {
    /// The epochs of the bindings in force, by their link. To be asked first after a start: what is wanted depends on them.
    func stamps() throws -> [Entry]

    /// What there is of Hawser's, told by its marks; nothing is changed. `desired` helps to recognise it. It is asked for once, when the kernel is
    /// being listed on other threads: on a big host that takes long, and so may deriving what is desired.
    func observe(expecting desired: @autoclosure () throws -> HostState) throws -> HostState

    /// Looks at what somebody else has touched, and gives links their marks back first. What there is of it, as `observe` has it.
    func look(at suspects: Suspects, expecting desired: HostState) throws -> Look

    /// What is known of pods' namespaces from now on.
    func stand(on ground: Ground)

    /// Pods at whose interfaces the last look (`observe` or `look`) could see nothing, though their pairs are there.
    var untold: [LinkName: Untold] { get }

    /// Takes tables that an earlier process left as this one's own, where the kernel knows owners. It changes no rule, and throws when
    /// another process that lives has them.
    func adopt(_ believed: HostState) throws

    /// Takes a plan's steps, but not its stamps.
    func apply(_ plan: Plan) -> Applied

    /// Takes the stamps of plans, after a grace period (`awaitGracePeriod`).
    func settle(_ stamps: [Operation]) -> Applied

    /// What elements of sets, and rules that count by themselves, have counted. One that isn't there has counted nothing.
    func counters(of objects: [Object]) throws -> [Object.Key: Counter]

    /// The generation of the nftables ruleset: it counts every commit, whoever made it.
    func generation() throws -> UInt32

    /// The interface numbers of links that are there.
    func indices(of links: Set<LinkName>) throws -> [LinkName: Int]

    /// Where the host itself would send what is for an address.
    func route(to address: IPAddress) throws -> HostRoute

    /// Deletes the tracked flows of addresses.
    func forgetFlows(of addresses: [AddressRange]) throws
}

/// What a look at suspects came to.
package struct Look: Sendable {
    package var found: HostState
    /// What was put right by looking, by its link: words for people. It isn't part of any state.
    package var restored: [LinkName: [String]] = [:]

    package init(_ found: HostState) { self.found = found }
}

extension Dataplane {
    /// For models: in their pods there is nobody.
    package func stand(on ground: Ground) {}
    package var untold: [LinkName: Untold] { [:] }

    /// For models: all of it is looked at.
    package func look(at suspects: Suspects, expecting desired: HostState) throws -> Look {
        Look(HostState(try observe(expecting: desired).entries.values.filter { suspects.covers($0.object) }))
    }
}

/// What became of operations.
package struct Applied: Hashable, Sendable {
    /// Those that are in force.
    package var done: [Operation] = []
    package var refusals: [Refusal] = []
    /// Whether the kernel didn't say what became of some of it: it must be looked at before anything else is tried.
    package var isUncertain = false
    /// Addresses whose tracked flows couldn't be deleted: nobody else may have them before that.
    package var unforgotten: [AddressRange] = []
    /// Netlink messages sent, and their bytes.
    package var messages = 0
    package var bytes = 0
    /// Spent waiting for the kernel.
    package var kernel: Duration = .zero
    /// Of the nftables ruleset, after the last commit; nil when there was none.
    package var generation: UInt32?

    package init() {}

    package mutating func merge(_ other: Applied) {
        done += other.done
        refusals += other.refusals
        isUncertain = isUncertain || other.isUncertain
        unforgotten += other.unforgotten
        messages += other.messages
        bytes += other.bytes
        kernel += other.kernel
        generation = other.generation ?? generation
    }
}

extension HostState {
    /// What is believed to be there after operations that the kernel took.
    package mutating func take(_ applied: Applied) {
        apply(contentsOf: applied.done)
    }
}

extension Plan {
    /// Steps before the firewall's transaction, the transaction, and the steps after it.
    package var parts: (before: [Operation], firewall: [Operation], after: [Operation]) {
        let firewall = steps.filter { $0.object.isRuleset }
        let others = steps.filter { !$0.object.isRuleset }
        return (others.filter { Phase.of($0) < .unbind }, firewall, others.filter { Phase.of($0) > .unbind })
    }
}
