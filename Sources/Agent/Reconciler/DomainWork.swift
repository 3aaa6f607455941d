import HostNetwork
import Synchronization

/// What a routing domain is to do for one pass of the reconciler.
struct DomainWork: Sendable {
    /// The pass that waits for it; nil for what nobody waits for.
    var pass: Int?
    /// The domain is new: all that it is to know of.
    var begin: Intents?
    var changed: [Changed] = []
    /// Pods whose namespaces came, went, or are others at the same place.
    var appeared: [ID<Pod>] = []
    var gone: [ID<Pod>] = []
    var replaced: [ID<Pod>] = []
    /// Which namespaces those are that came.
    var homes: [ID<Pod>: NamespaceIdentity] = [:]
    /// The kernel is to be read again.
    var isWhole = false
    /// The domain ends afterwards.
    var isLast = false
    /// Whether what is there of pods that nobody has asked for is to stay; nil: as before.
    var keeps: Bool?

    /// The resources that it is about.
    var subjects: Set<IntentID> {
        var ids = Set((changed.flatMap { [$0.before?.id, $0.after?.id] }).compactMap(\.self))
        ids.formUnion(begin?.all.map(\.id) ?? [])
        for pods in [appeared, gone, replaced] { ids.formUnion(pods.map(\.intent)) }
        return ids
    }

    init(_ pass: Int?) { self.pass = pass }

    mutating func take(_ step: DomainMap.Step) {
        switch step {
        case .begin(let intents): begin = intents
        case .change(let changed): self.changed = changed
        case .end(let changed):
            self.changed = changed
            isLast = true
        }
    }

    /// The last look at a pod counts.
    mutating func take(_ look: NamespaceTable.Look, at pod: ID<Pod>) {
        switch look {
        case .same: break
        case .appeared, .replaced:
            gone.removeAll { $0 == pod }
            appeared.append(pod)
            if look == .replaced { replaced.append(pod) }
        case .absent, .gone:
            appeared.removeAll { $0 == pod }
            replaced.removeAll { $0 == pod }
            gone.append(pod)
        }
    }
}

/// What came of it.
struct DomainOutcome: Sendable {
    var domain: RoutingDomain
    var passes: [Int] = []
    var applied = Applied()
    /// The kernel was read again: what it refused before doesn't count any more.
    var isWhole = false
    /// It must be read again before it can be said to be as wanted: why.
    var unread: String?
    /// Resources that aren't in force because of what a pod has done in its own namespace, all of them at present.
    var ailing: [IntentID: Ailing] = [:]
    /// Nothing could be done for these, for the kernel can't be read: why.
    var untried: (ids: Set<IntentID>, reason: String)?
    /// Interfaces of pods that nobody has asked for, which stay.
    var kept = 0
    /// The domain isn't there any more.
    var isOver = false
    /// What somebody else had changed and is put right.
    var repairs: [Repair] = []
    /// How much of what was noticed (`DomainHealth`) is put right, or told as refused.
    var settled = 0
}

/// What waits for one routing domain; what has come while something was being done is done together.
final class DomainQueue: Sendable {
    private struct State {
        var works: [DomainWork] = []
        var isClosed = false
    }

    /// Ticks when there is something to take; ends when the queue is closed.
    let ticks: AsyncStream<Void>
    private let ticker: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    init() { (ticks, ticker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func put(_ work: DomainWork) {
        state.withLock { if !$0.isClosed { $0.works.append(work) } }
        ticker.yield()
    }

    func take() -> [DomainWork] {
        state.withLock { state in
            let works = state.works
            state.works = []
            return works
        }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        ticker.finish()
    }
}
