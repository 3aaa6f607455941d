import HostNetwork
import Netlink
import SystemPackage

extension LinkTable {
    /// Makes pairs, down, with everything that marks them; one that can't be made whole is taken away again.
    mutating func make(_ indices: [Int], _ pass: inout LinkPass) {
        defer { pass.closeNamespaces() }
        make(indices, &pass, evicts: true)
    }

    /// - Parameter evicts: whether what is left of a pair in the place of its pod side is taken away first.
    private mutating func make(_ indices: [Int], _ pass: inout LinkPass, evicts: Bool) {
        var wanted: [(index: Int, link: Link)] = []
        var batch = Batch()
        for index in indices {
            guard case .add(.link(let link)) = pass.steps[index], pass.goesOn(with: index) else { continue }
            pass.forget(link.name)
            do throws(NamespaceError) {
                let open = try pass.namespace(at: link.namespace)
                guard isHome(open, of: link.name) else {
                    pass.refuse(index, .noSuchDevice, "\(link.namespace) isn't the network namespace any more that it was")
                    continue
                }
                _ = link.addMake(to: &batch, in: open.namespace)
                _ = batch.addFind(link.name)
                wanted.append((index, link))
            } catch {
                pass.refuse(index, error.errno, "the pod's network namespace \(error)", isInside: true)
            }
        }
        guard !wanted.isEmpty else { return }
        do throws(TransportError) {
            var found: [Int: FoundLink] = [:]
            let refused = try socket.send(&batch) { place, header, message in found[place / 2] = FoundLink(header, message) }
            var born: [(index: Int, link: Link, host: FoundLink)] = []
            var again: [Int] = []
            for (place, item) in wanted.enumerated() {
                if let error = refused[2 * place] {
                    if evicts, error.errno == .fileExists, found[place] == nil, let open = try? pass.namespace(at: item.link.namespace),
                        (try? Self.evict(item.link, from: open)) ?? false
                    {
                        again.append(item.index)
                        continue
                    }
                    // Without a host side of that name it is the pod's namespace that has one.
                    let isInside = error.errno == .fileExists && found[place] == nil
                    pass.refuse(item.index, error.errno, item.link.whyNotMade(error, there: found[place]), isInside: isInside)
                } else if let error = refused[2 * place + 1], !Gone.links.contains(error.errno) {
                    pass.refuse(item.index, error)
                } else if let host = found[place], host.isOurs, host.peerNamespace != nil {
                    born.append((item.index, item.link, host))
                } else if let host = found[place], host.isOurs {
                    let reason = "\(item.link.namespace) is the host's own network namespace, not a pod's"
                    pass.refuse(item.index, .invalidArgument, reason, isInside: true)
                    try delete([host])
                } else {
                    pass.refuse(item.index, .noSuchAddressOrDevice, "it was gone as soon as it was made", isInside: true)
                }
            }
            try configure(born, &pass)
            if !again.isEmpty { make(again, &pass, evicts: false) }
        } catch {
            pass.lose(wanted.map(\.index), error)
        }
    }

    private mutating func configure(_ born: [(index: Int, link: Link, host: FoundLink)], _ pass: inout LinkPass) throws(TransportError) {
        var batch = Batch()
        var messages: [Int] = []
        for item in born {
            messages.append(item.link.addConfigure(to: &batch, item.host.index))
            // A convenience for people: a kernel before 5.5 doesn't know such names, and somebody else's link may have it already.
            _ = item.link.addAlternativeName(to: &batch, item.host.index)
        }
        let refused = try socket.send(&batch)
        var spoiled: [FoundLink] = []
        for (item, place) in zip(born, messages) {
            if let error = refused[place] {
                pass.refuse(item.index, error)
                spoiled.append(item.host)
            } else {
                pass.made[item.link.name] = item.host
                places[item.link.name] = Place(namespace: item.link.namespace, interface: item.link.interface)
            }
        }
        if !spoiled.isEmpty { try delete(spoiled) }
    }
}

extension Link {
    /// - Parameter there: what has the host side's name, if anything.
    fileprivate func whyNotMade(_ error: KernelError, there: FoundLink?) -> String {
        guard error.errno == .fileExists else { return error.words }
        guard let there else { return "\(namespace) has an interface \(interface) already" }
        return there.isOurs
            ? "\(name) is there already, made by Hawser: \(there.words)"
            : "\(name) is taken by a link that isn't Hawser's: \(there.words)"
    }
}
