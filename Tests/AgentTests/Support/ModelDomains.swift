import Agent
import Foundation
import HostNetwork
import Kernel
import Synchronization

/// Routing domains of model kernels, in memory, whose calls can be made to hang.
final class ModelDomains: DomainHost {
    /// Lets calls through, or lets them wait.
    final class Gate: Sendable {
        private let isOpen = Mutex(true)
        private let opened = NSCondition()

        func close() { isOpen.withLock { $0 = false } }

        func open() {
            isOpen.withLock { $0 = true }
            opened.broadcast()
        }

        func pass() {
            opened.lock()
            while !isOpen.withLock({ $0 }) { opened.wait() }
            opened.unlock()
        }
    }

    private let gates = Mutex<[RoutingDomain: Gate]>([:])
    private let asked = Mutex<[Set<LinkName>]>([])

    /// Which links' numbers the kernels were asked for since the last time, question by question.
    func takeQuestions() -> [Set<LinkName>] {
        asked.withLock { asked in
            defer { asked = [] }
            return asked
        }
    }

    func gate(_ domain: RoutingDomain) -> Gate {
        gates.withLock { gates in
            let gate = gates[domain] ?? Gate()
            gates[domain] = gate
            return gate
        }
    }

    func open(_ domain: RoutingDomain) throws -> sending OpenDomain {
        OpenDomain(
            plane: ModelKernel(gate(domain)) { [self] links in asked.withLock { $0.append(links) } },
            events: AsyncStream { _ in })
    }

    func remove(_ domain: RoutingDomain) throws {}
    func sweep(keeping domains: Set<RoutingDomain>) -> [String] { [] }
    func leftovers(besides domains: Set<RoutingDomain>) -> [String] { [] }
    func path(of domain: RoutingDomain) -> String? { nil }
}

/// A kernel by its meaning (`HostState.applying`).
private final class ModelKernel: Dataplane {
    private let gate: ModelDomains.Gate
    private let note: @Sendable (Set<LinkName>) -> Void
    private var state = HostState()

    /// - Parameter note: is told which links' numbers are asked for.
    init(_ gate: ModelDomains.Gate, note: @escaping @Sendable (Set<LinkName>) -> Void) {
        self.gate = gate
        self.note = note
    }

    func stamps() throws -> [Entry] { [] }
    func observe(expecting desired: @autoclosure () throws -> HostState) throws -> HostState {
        _ = try desired()
        return state
    }

    func adopt(_ believed: HostState) throws {}

    func apply(_ plan: Plan) -> Applied {
        gate.pass()
        return take(plan.steps)
    }

    func settle(_ stamps: [HostNetwork.Operation]) -> Applied { take(stamps) }

    private func take(_ operations: [HostNetwork.Operation]) -> Applied {
        var applied = Applied()
        applied.done = operations
        state.take(applied)
        return applied
    }

    func counters(of objects: [Object]) throws -> [Object.Key: Counter] { [:] }
    func generation() throws -> UInt32 { 0 }
    func indices(of links: Set<LinkName>) throws -> [LinkName: Int] {
        note(links)
        return [:]
    }
    func route(to address: IPAddress) throws -> HostRoute { .unknown }
    func forgetFlows(of addresses: [AddressRange]) throws {}
}
