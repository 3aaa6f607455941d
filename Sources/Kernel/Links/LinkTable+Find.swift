import CLibMNL
package import HostNetwork
package import Netlink
import SystemPackage

extension LinkTable {
    /// What the kernel has by these names; whose it is is for the caller to see.
    mutating func find(_ names: Set<LinkName>) throws(TransportError) -> [LinkName: FoundLink] {
        var batch = Batch()
        for name in names { _ = batch.addFind(name) }
        var found: [LinkName: FoundLink] = [:]
        try socket.ask(&batch, absences: Gone.links) { _, header, message in
            if let link = FoundLink(header, message) { found[LinkName(reported: link.name)] = link }
        }
        return found
    }

    /// Whether a pair of Hawser's has its other end in a namespace.
    package mutating func leads(_ name: LinkName, into namespace: consuming NetworkNamespace) throws(TransportError) -> Bool {
        guard let host = try find([name])[name], host.isOurs, let number = host.peerNamespace else { return false }
        return try numbers(of: ["": OpenNamespace(namespace)])[""] == number
    }

    /// This namespace's numbers for others; those whose number isn't known here have none of our pods' interfaces in them.
    mutating func numbers(of namespaces: [String: OpenNamespace]) throws(TransportError) -> [String: Int32] {
        let paths = Array(namespaces.keys)
        var batch = Batch()
        for path in paths {
            guard let open = namespaces[path] else { continue }
            batch.add(.getNamespaceID) { message in
                message.put(raw: rtgenmsg(rtgen_family: UInt8(AF_UNSPEC)))
                message.put(.namespaceDescriptor, open.namespace.descriptor.rawValue)
            }
        }
        var numbers: [String: Int32] = [:]
        try socket.ask(&batch, absences: []) { index, _, message in
            message.attributes(after: rtgenmsg.self) { number, payload in
                if Int(number) == NETNSA_NSID { numbers[paths[index]] = payload.number() }
            }
        }
        return numbers
    }
}
