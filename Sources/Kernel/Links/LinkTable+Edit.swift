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
            let unquiet = refuseAdvertisements(
                at: tried.map { pass.steps[$0] }.filter(\.raisesHostSide).compactMap(\.name))
            for index in tried {
                let step = pass.steps[index]
                var interface = InterfaceIndex.ofGateway
                if let name = step.name {
                    guard let link = links[name] else { continue }
                    interface = link.index
                    if step.raisesHostSide, let problem = unquiet[name] {
                        pass.refuse(index, problem.errno, problem.reason)
                        continue
                    }
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
                if let foreign = others[name] {
                    pass.refuse(index, .noSuchDevice, "\(name) isn't Hawser's: \(foreign.words)", isInside: false)
                } else {
                    pass.refuse(index, .noSuchDevice, "there is no link \(name)")
                }
            }
        }
        return links
    }

    /// Sends, and refuses the steps that the kernel refused; what is as wanted nevertheless isn't.
    static func send(_ steps: inout StepBatch, usurped: Set<Prefix>, through socket: inout NetlinkSocket, _ pass: inout LinkPass) {
        do throws(TransportError) {
            let refused = try socket.send(&steps.batch)
            let occupied = steps.take(refused, &pass)
            if !occupied.isEmpty { try replaceOwn(occupied, usurped: usurped, through: &socket, &pass) }
        } catch {
            pass.lose(steps.owners.map(\.step), error)
        }
    }

    /// The same inside of a pod's namespace: whatever is refused or lost there, it is that pod's alone.
    static func sendInside(_ steps: inout StepBatch, through socket: inout NetlinkSocket, _ pass: inout LinkPass) {
        do throws(TransportError) {
            let refused = try socket.send(&steps.batch)
            let occupied = steps.take(refused, &pass, isInside: true)
            if !occupied.isEmpty { try replaceOwnInside(occupied, through: &socket, &pass) }
        } catch {
            steps.untaken.formUnion(steps.owners.map(\.step))
            pass.loseInside(steps.owners.map(\.step), error)
        }
    }
}

extension StepBatch {
    /// Takes note of what was refused; answers the steps whose route's place is taken.
    fileprivate mutating func take(
        _ refused: [Int: KernelError], _ pass: inout LinkPass, isInside: Bool? = nil
    ) -> [(step: Int, interface: InterfaceIndex)] {
        var occupied: [(step: Int, interface: InterfaceIndex)] = []
        for (place, error) in refused.sorted(by: { $0.key < $1.key }) {
            let step = pass.steps[owners[place].step]
            untaken.insert(owners[place].step)
            if step.isFulfilled(despite: error.errno) { continue }
            if case .add(.route) = step, error.errno == .fileExists {
                occupied.append(owners[place])
            } else {
                pass.refuse(owners[place].step, error, isInside: isInside)
            }
        }
        return occupied
    }
}
