import HostNetwork
import Netlink
import SystemPackage

extension LinkTable {
    /// Deletes what is left in a pod's namespace of a pair whose host side somebody took to another namespace; the other end goes with it,
    /// wherever it is. It is told by the pod's MAC and by addresses with Hawser's protocol number. The pod can give both to an interface of its own, and
    /// loses that; no other pod has one there, for each place is one pod's.
    ///
    /// - Returns: whether there was such an interface.
    static func evict(_ link: Link, from open: OpenNamespace) throws(OpenFailure) -> Bool {
        var socket = try NetlinkSocket(.route, in: open.namespace)
        do throws(TransportError) {
            var finding = Batch()
            _ = finding.addFind(LinkName(reported: link.interface))
            var found: FoundLink?
            try socket.ask(&finding, absences: Gone.links) { _, header, message in found = FoundLink(header, message) }
            guard let found, found.kind == "veth", found.mac == link.mac,
                try !FoundAddress.inside(at: found.index, besides: 0, through: &socket).isEmpty
            else { return false }
            var deleting = Batch()
            _ = deleting.addDelete(found.index)
            return try socket.send(&deleting).isEmpty
        } catch {
            throw .transport(error)
        }
    }
}
