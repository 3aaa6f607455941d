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
                pass.refuse(index, .noSuchFileOrDirectory, "where the pod side of \(name) is isn't known")
            }
        }
        for some in groups.sorted(by: { $0.key < $1.key }).pieces(of: Self.mostOpen) {
            try edit(some, links, &pass)
            pass.closeNamespaces()
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
        for index in indices {
            let step = pass.steps[index]
            guard let name = step.name, let peer = links[name]?.peer, let place = places[name] else { continue }
            if step.raises {
                raised.append((index, place.interface))
                steps.add(for: index, .loopback) { $0.addSet(.loopback, up: true) }
            }
            steps.add(for: index, peer) { step.addMessages(to: &$0, .pod, peer) }
        }
        guard !steps.owners.isEmpty else { return }
        var arrivals = AddressArrivals(of: indices.map { pass.steps[$0] })
        do throws(OpenFailure) {
            var socket = try NetlinkSocket(.route, in: open.namespace, groups: arrivals.groups) {
                for (index, interface) in raised { Self.quiet(interface, index, &pass) }
            }
            socket.onSend = LinuxDataplane.tap(onSend, .pod(open.namespace.path))
            let untaken = Self.send(&steps, through: &socket, &pass) { arrivals.note($0, $1) }
            arrivals.forget(untaken.map { pass.steps[$0] })
            arrivals.wait(through: &socket)
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
                pass.refuse(index, error, "net/\(setting): \(error)")
            }
        }
    }
}

extension LinkPass {
    /// Refuses those of several steps that don't take away: what is gone with its namespace is gone.
    fileprivate mutating func refuse(_ indices: [Int], _ errno: Errno, _ explanation: String) {
        for index in indices where !steps[index].isRemoval { refuse(index, errno, explanation) }
    }
}
