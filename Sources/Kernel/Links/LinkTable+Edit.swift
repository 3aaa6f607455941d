import HostNetwork
import Netlink
import SystemPackage

extension LinkTable {
    /// Takes steps on pairs that are there: all of the host sides in one send, then all of each namespace's pod sides in one.
    mutating func edit(_ indices: [Int], _ pass: inout LinkPass) {
        let tried = indices.filter { pass.mayTry($0) }
        guard !tried.isEmpty else { return }
        do throws(TransportError) {
            let links = try present(tried, &pass)
            var hosts = StepBatch()
            var pods: [Int] = []
            var raised: [InterfaceIndex] = []
            for index in tried {
                let step = pass.steps[index]
                var interface = InterfaceIndex.ofGateway
                if let name = step.name {
                    guard let link = links[name] else { continue }
                    interface = link.index
                }
                hosts.add(for: index, interface) { step.addMessages(to: &$0, .host, interface) }
                if step.touches(.pod) { pods.append(index) }
                if step.raises { raised.append(interface) }
            }
            Self.send(&hosts, usurped: usurped, through: &socket, &pass)
            if !pods.isEmpty { try editPods(pods, links, &pass) }
            try settle(raised)
        } catch {
            pass.lose(tried, error)
        }
    }

    /// Makes the kernel take notice of the carrier of host sides that have just come up.
    ///
    /// The end that comes up first gets its carrier with the second. It drops what it is to send until that is noticed, which the kernel puts
    /// off by up to a second where both ends happen to have the same index (`linkwatch_urgent_event`); asking for the link doesn't
    /// wait (`rtnl_getlink`, since Linux 6.9).
    private mutating func settle(_ raised: [InterfaceIndex]) throws(TransportError) {
        var batch = Batch()
        for index in raised { _ = batch.addFind(index) }
        // One that isn't told of is noticed a moment later.
        _ = try socket.send(&batch)
    }

    /// The pairs of these steps that exist and are Hawser's; steps on others are refused, unless they take away.
    private mutating func present(_ indices: [Int], _ pass: inout LinkPass) throws(TransportError) -> [LinkName: FoundLink] {
        let names = Set(indices.compactMap { pass.steps[$0].name })
        var links = pass.made.filter { names.contains($0.key) }
        let others = try find(names.filter { links[$0] == nil })
        for index in indices {
            let step = pass.steps[index]
            guard let name = step.name else { continue }
            if let other = others[name], other.isOurs {
                links[name] = other
            } else if links[name] == nil, !step.isRemoval {
                let foreign = others[name].map { "\(name) isn't Hawser's: \($0.words)" }
                pass.refuse(index, .noSuchDevice, foreign ?? "there is no link \(name)")
            }
        }
        return links
    }

    /// Sends, and refuses the steps that the kernel refused; what is as wanted nevertheless isn't.
    ///
    /// - Parameter event: called with multicast messages that come in between.
    /// - Returns: the steps that the kernel didn't take, for whatever reason.
    @discardableResult
    static func send(
        _ steps: inout StepBatch, usurped: Set<Prefix> = [], through socket: inout NetlinkSocket, _ pass: inout LinkPass,
        event: (MessageHeader, RawSpan) -> Void = { _, _ in }
    ) -> Set<Int> {
        var untaken: Set<Int> = []
        do throws(TransportError) {
            var occupied: [(step: Int, interface: InterfaceIndex)] = []
            for (place, error) in try socket.send(&steps.batch, event: event).sorted(by: { $0.key < $1.key }) {
                let index = steps.owners[place].step
                untaken.insert(index)
                let step = pass.steps[index]
                if step.isFulfilled(despite: error.errno) { continue }
                if case .add(.route) = step, error.errno == .fileExists {
                    occupied.append(steps.owners[place])
                } else {
                    pass.refuse(index, error)
                }
            }
            if !occupied.isEmpty { try replaceOwn(occupied, usurped: usurped, through: &socket, &pass) }
        } catch {
            untaken.formUnion(steps.owners.map(\.step))
            pass.lose(untaken.sorted(), error)
        }
        return untaken
    }
}
