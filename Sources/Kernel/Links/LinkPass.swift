import HostNetwork
import Netlink
import SystemPackage

/// What is known while the steps of one `LinkTable.apply` are taken.
struct LinkPass {
    let steps: [LinkStep]
    private(set) var refusals: [LinkRefusal] = []
    /// The kernel doesn't answer, or not to the end: nothing more is tried, for nobody knows on what it would stand.
    private(set) var isUncertain = false
    private var refused: Set<Int> = []
    /// Pairs that nothing more is done to: why.
    private var lost: [LinkName: (reason: String, isInside: Bool)] = [:]
    /// Pairs made in this pass: their pod side is where it was just put.
    var made: [LinkName: FoundLink] = [:]
    private var namespaces: [String: OpenNamespace] = [:]
    /// Addresses that were added and can't be used yet, and who tells when they can.
    var arriving: [(AddressArrivals, ArrivalSocket)] = []

    init(_ steps: [LinkStep]) { self.steps = steps }

    /// - Parameter isInside: whether it is up to the pod; nil: for a pair that is gone, for the pod can delete it, and for what the host side can't be,
    ///   which the other end has a say in (`veth_xdp_set`, drivers/net/veth.c).
    mutating func refuse(_ index: Int, _ errno: Errno, _ explanation: String, isInside: Bool? = nil) {
        // The first refusal of a step is what matters; it may have more messages than one.
        guard refused.insert(index).inserted else { return }
        let isInside = isInside ?? (steps[index].changesPair || (errno == .noSuchDevice && steps[index].name?.isTunnel == false))
        refusals.append(LinkRefusal(index: index, step: steps[index], errno: errno, explanation: explanation, isInside: isInside))
        if steps[index].makesLink, let name = steps[index].name { lost[name] = ("skipped: its link was refused", isInside) }
    }

    /// Nothing is known of these.
    mutating func lose(_ indices: some Sequence<Int>, _ error: TransportError) {
        if error.isUncertain { isUncertain = true }
        for index in indices { refuse(index, error.errno, "\(error)") }
    }

    /// Nothing is known of these, which concern one pod alone: the others go on.
    mutating func loseInside(_ indices: some Sequence<Int>, _ error: TransportError) {
        for index in indices { refuse(index, error.errno, "in the pod's network namespace: \(error)", isInside: true) }
    }

    mutating func refuse(_ index: Int, _ error: KernelError, isInside: Bool? = nil) {
        refuse(index, error.errno, error.words, isInside: isInside)
    }

    /// Whether the step may be tried; when not, says so.
    mutating func mayTry(_ index: Int) -> Bool {
        if refused.contains(index) { return false }
        guard goesOn(with: index) else { return false }
        guard let loss = steps[index].name.flatMap({ lost[$0] }), !steps[index].isRemoval else { return true }
        refuse(index, .canceled, loss.reason, isInside: loss.isInside)
        return false
    }

    /// Whether anything may be tried; when not, says so.
    mutating func goesOn(with index: Int) -> Bool {
        if isUncertain { refuse(index, .canceled, "not tried: what became of the steps before it isn't known") }
        return !isUncertain
    }

    /// Waits for all of them at once, so that many take no longer than one.
    mutating func awaitArrivals() {
        for (arrivals, news) in arriving { arrivals.wait(for: news) }
        arriving = []
    }

    mutating func forget(_ name: LinkName) { lost[name] = nil }

    /// Opens a namespace, once until they are closed.
    mutating func namespace(at path: String) throws(NamespaceError) -> OpenNamespace {
        if let open = namespaces[path] { return open }
        let open = OpenNamespace(try NetworkNamespace(at: path))
        namespaces[path] = open
        return open
    }

    mutating func closeNamespaces() { namespaces = [:] }
}

extension LinkStep {
    var changesPair: Bool { if case .change(_, to: .link) = self { true } else { false } }

    /// Whether it makes a pair or a tunnel.
    var makesLink: Bool {
        switch self {
        case .add(.link), .add(.tunnel): true
        default: false
        }
    }

    /// Whether it takes one away.
    var removesLink: Bool {
        switch self {
        case .remove(.link), .remove(.tunnel): true
        default: false
        }
    }
}

/// A namespace that several steps use.
final class OpenNamespace {
    let namespace: NetworkNamespace

    init(_ namespace: consuming NetworkNamespace) { self.namespace = namespace }
}

extension KernelError {
    /// For people: what is wrong, and the kernel's own words when it gave any.
    var words: String { explanation.map { "\(errno): \($0)" } ?? "\(errno)" }
}

/// Messages, and the steps that they belong to.
struct StepBatch {
    var batch = Batch()
    /// For each message, its step and the interface that it is about.
    private(set) var owners: [(step: Int, interface: InterfaceIndex)] = []
    /// Steps that the kernel didn't take, for whatever reason.
    var untaken: Set<Int> = []

    /// The message that `build` adds, if any, belongs to `step`.
    mutating func add(for step: Int, _ interface: InterfaceIndex, _ build: (inout Batch) -> Int?) {
        if build(&batch) != nil { owners.append((step, interface)) }
    }
}
