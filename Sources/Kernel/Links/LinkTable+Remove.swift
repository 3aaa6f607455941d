import HostNetwork
import Netlink
import SystemPackage

extension LinkTable {
    /// Deletes pairs with all that they have; what is gone already, or isn't Hawser's, is left as it is.
    mutating func remove(_ indices: [Int], _ pass: inout LinkPass) {
        let indices = indices.filter { pass.goesOn(with: $0) }
        guard !indices.isEmpty else { return }
        do throws(TransportError) {
            let names = Set(indices.compactMap { pass.steps[$0].name })
            let ours = try find(names).filter { $0.value.isOurs }
            let refused = try delete(Array(ours.values))
            for index in indices {
                guard let name = pass.steps[index].name else { continue }
                pass.forget(name)
                pass.made[name] = nil
                if let host = ours[name], let error = refused[host.index] {
                    pass.refuse(index, error)
                } else {
                    places[name] = nil
                    sides?.close(name)
                }
            }
        } catch {
            pass.lose(indices, error)
        }
    }

    /// Deletes links, together when there are several: each deletion waits for a grace period of the kernel's, and those of one request for
    /// the same one.
    @discardableResult
    mutating func delete(_ links: [FoundLink]) throws(TransportError) -> [InterfaceIndex: KernelError] {
        var batch = Batch()
        if links.count == 1 {
            for link in links { _ = batch.addDelete(link.index) }
        } else {
            for link in links { _ = batch.addLeave(link.index) }
            if !links.isEmpty { _ = batch.addDeleteLeaving() }
        }
        let answers = try socket.send(&batch).filter { !Gone.links.contains($0.value.errno) }
        var refused: [InterfaceIndex: KernelError] = [:]
        for (place, link) in links.enumerated() { refused[link.index] = answers[place] ?? answers[links.count] }
        return refused
    }
}
