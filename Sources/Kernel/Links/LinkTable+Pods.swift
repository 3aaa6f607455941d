import HostNetwork
import Netlink
import SystemPackage

extension LinkTable {
    /// Takes the pod sides' half of steps, each namespace's from inside.
    mutating func editPods(_ indices: [Int], _ links: [LinkName: FoundLink], _ pass: inout LinkPass) throws(TransportError) {
        var groups: [String: [Int]] = [:]
        for index in indices {
            let step = pass.steps[index]
            guard let name = step.name else { continue }
            if let place = places[name] {
                groups[place.namespace, default: []].append(index)
            } else if !step.isRemoval {
                pass.refuse(index, .noSuchFileOrDirectory, "where the pod side of \(name) is isn't known", isInside: true)
            }
        }
        for some in groups.sorted(by: { $0.key < $1.key }).pieces(of: Self.mostOpen) {
            try edit(some, links, &pass)
            pass.closeNamespaces()
            pass.awaitArrivals()
        }
    }

    /// Steps by their namespaces' paths.
    private mutating func edit(
        _ groups: [(key: String, value: [Int])], _ links: [LinkName: FoundLink], _ pass: inout LinkPass
    ) throws(TransportError) {
        var open: [String: OpenNamespace] = [:]
        for (path, group) in groups {
            do throws(NamespaceError) {
                open[path] = try pass.namespace(at: path)
            } catch {
                pass.refuse(group, error.errno, "the pod's network namespace \(error)")
            }
        }
        let numbers = try numbers(of: open)
        for (path, group) in groups {
            guard let namespace = open[path] else { continue }
            let here = group.filter { index in
                numbers[path] != nil && pass.steps[index].name.flatMap { links[$0]?.peerNamespace } == numbers[path]
            }
            let elsewhere = group.filter { !here.contains($0) }
            pass.refuse(elsewhere, .noSuchDevice, "\(path) isn't the network namespace any more that the pod side is in")
            edit(here, in: namespace, links, &pass)
        }
    }

    private func edit(_ indices: [Int], in open: OpenNamespace, _ links: [LinkName: FoundLink], _ pass: inout LinkPass) {
        var steps = StepBatch()
        var raised: [(index: Int, interface: String)] = []
        // What the pod sides are to be like; nil: as before.
        var touched: [LinkName: PodSides.Expectation?] = [:]
        for index in indices {
            let step = pass.steps[index]
            guard let name = step.name, let peer = links[name]?.peer, let place = places[name] else { continue }
            if step.raises {
                raised.append((index, place.interface))
                steps.add(for: index, .loopback) { $0.addSet(.loopback, up: true) }
            }
            steps.add(for: index, peer) { step.addMessages(to: &$0, .pod, peer) }
            touched[name] = .some(step.podSide(at: peer) ?? touched[name].flatMap(\.self))
        }
        guard !steps.owners.isEmpty else { return }
        var arrivals = AddressArrivals(of: indices.map { pass.steps[$0] }, isAwaited: touched.keys.contains { awaited.contains($0) })
        let home = try? open.namespace.identity
        do throws(OpenFailure) {
            // Apart from the socket for requests: whatever the pod does meanwhile comes here, and may be more than there is room for.
            let news = arrivals.isEmpty ? nil : try ArrivalSocket(in: open.namespace)
            var socket = try NetlinkSocket(.route, in: open.namespace) {
                if let sides, let home {
                    for name in touched.keys { sides.pause(name, in: home, at: open.namespace.path, forgets: false) }
                }
                for (index, interface) in raised { Self.quiet(interface, index, &pass) }
            }
            socket.onSend = LinuxDataplane.tap(onSend, .pod(open.namespace.path))
            Self.sendInside(&steps, through: &socket, &pass)
            for (name, expected) in touched { sides?.listen(to: name, expecting: expected, except: socket.port) }
            arrivals.forget(steps.untaken.map { pass.steps[$0] })
            if let news, !arrivals.isEmpty { pass.arriving.append((arrivals, news)) }
        } catch {
            pass.refuse(indices, error.errno, "the pod's network namespace: \(error)")
        }
    }

    /// What netlink can't say of an interface: that it takes no router's advertisements, and its link-local address at once.
    private static func quiet(_ interface: String, _ index: Int, _ pass: inout LinkPass) {
        for name in ["accept_ra", "accept_dad"] {
            let setting = Setting("ipv6/conf/\(interface)/\(name)")
            do throws(Errno) {
                try setting.write("0")
            } catch .noSuchFileOrDirectory {
                continue  // The kernel has no IPv6.
            } catch {
                pass.refuse(index, error, "net/\(setting): \(error)", isInside: true)
            }
        }
    }
}

extension LinkPass {
    /// Refuses those of several steps that don't take away: what is gone with its namespace is gone.
    fileprivate mutating func refuse(_ indices: [Int], _ errno: Errno, _ explanation: String) {
        for index in indices where !steps[index].isRemoval { refuse(index, errno, explanation, isInside: true) }
    }
}

extension LinkStep {
    /// What it makes of a pod side's interface.
    fileprivate func podSide(at index: InterfaceIndex) -> PodSides.Expectation? {
        switch self {
        case .add(.link(let link)), .change(_, to: .link(let link)):
            .init(index: index, name: link.interface, mac: link.mac, mtu: link.mtu, isUp: link.isUp)
        default: nil
        }
    }
}
