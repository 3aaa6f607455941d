import HostNetwork
import Netlink
import SystemPackage

/// The underlay's namespace, where it isn't the pods': a device made from there belongs to the pods' routing domain, and what it sends
/// and receives in its packets belongs to the underlay's (`vxlan_newlink`, drivers/net/vxlan).
struct Outside: ~Copyable {
    var socket: NetlinkSocket
    let home: OpenNamespace

    /// Nil when the calling thread is in the underlay's namespace itself.
    static func seen(from underlay: borrowing NetworkNamespace) throws(OpenFailure) -> Outside? {
        let home: OpenNamespace
        do throws(NamespaceError) {
            home = OpenNamespace(try NetworkNamespace.current())
            if try home.namespace.identity == underlay.identity { return nil }
        } catch {
            throw .namespace(error)
        }
        return Outside(socket: try NetlinkSocket(.route, in: underlay), home: home)
    }
}

extension LinkTable {
    /// From where tunnels are made.
    private mutating func request(_ batch: inout Batch) throws(TransportError) -> [Int: KernelError] {
        if let refused = try outside?.socket.send(&batch) { return refused }
        return try socket.send(&batch)
    }

    /// Makes tunnels, with everything that marks them, up; one that can't be made whole is taken away again.
    mutating func makeTunnels(_ indices: [Int], _ pass: inout LinkPass) {
        var wanted: [(index: Int, tunnel: Tunnel)] = []
        for index in indices {
            guard case .add(.tunnel(let tunnel)) = pass.steps[index], pass.goesOn(with: index) else { continue }
            pass.forget(tunnel.name)
            wanted.append((index, tunnel))
        }
        guard !wanted.isEmpty else { return }
        do throws(TransportError) {
            var making = Batch()
            for (_, tunnel) in wanted { _ = tunnel.addMake(to: &making, in: outside?.home) }
            let refused = try request(&making)
            let found = try find(Set(wanted.map(\.tunnel.name)))
            var configuring = Batch()
            var made: [(index: Int, places: ClosedRange<Int>, link: FoundLink)] = []
            for (place, (index, tunnel)) in wanted.enumerated() {
                if let error = refused[place] {
                    pass.refuse(index, error.errno, tunnel.whyNotMade(error, there: found[tunnel.name]))
                } else if let link = found[tunnel.name], link.isOurs {
                    let first = tunnel.addConfigure(to: &configuring, link.index)
                    made.append((index, first...(configuring.count - 1), link))
                } else {
                    pass.refuse(index, .noSuchAddressOrDevice, "it was gone as soon as it was made")
                }
            }
            let unquiet = refuseAdvertisements(at: made.map { LinkName(reported: $0.link.name) })
            let spoiled = try socket.send(&configuring)
            for (index, places, link) in made {
                let name = LinkName(reported: link.name)
                if let error = places.lazy.compactMap({ spoiled[$0] }).first {
                    pass.refuse(index, error)
                    try delete([link])
                } else if let problem = unquiet[name] {
                    pass.refuse(index, problem.errno, problem.reason)
                    try delete([link])
                } else {
                    pass.made[name] = link
                }
            }
        } catch {
            pass.lose(wanted.map(\.index), error)
        }
    }
}

extension Tunnel {
    /// - Parameter there: what has its name, if anything.
    fileprivate func whyNotMade(_ error: KernelError, there: FoundLink?) -> String {
        guard error.errno == .fileExists else { return error.words }
        guard let there else { return "the host has another VXLAN device with identifier \(id)" }
        return there.isOurs
            ? "\(name) is there already, made by Hawser: \(there.words)" : "\(name) is taken by a link that isn't Hawser's: \(there.words)"
    }
}
