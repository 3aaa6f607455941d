package import HostNetwork
package import Netlink
import SystemPackage

extension LinkTable {
    /// What there is of Hawser's: its pairs and tunnels, told by their mark, and what it put on them, told by the protocol number.
    ///
    /// What the kernel or the pod itself added isn't reported. A pair whose pod side isn't the interface in the namespace that `expected`
    /// names is reported with an empty namespace and interface: it isn't what anybody wants. A pair whose ends have different MTUs is
    /// reported with 0. A pair is up when both of its ends are.
    ///
    /// - Parameters:
    ///   - expected: where the pod sides should be; the kernel doesn't know paths.
    ///   - names: the pairs and tunnels to look at; nil: all that there are.
    package mutating func observe(_ expected: [LinkName: Place], only names: Set<LinkName>? = nil) throws(TransportError) -> [LinkObject] {
        var hosts: [LinkName: FoundLink]
        let tunnels: [LinkName: FoundLink]
        var ends = FoundEnds()
        if let names {
            let links = try find(names).filter { $0.value.isOurs }
            for link in links.values { try ends.read(at: link.index, through: &socket) }
            (hosts, tunnels) = (links.filter { $0.value.tunnel == nil }, links.filter { $0.value.tunnel != nil })
            for name in names { places[name] = nil }
            for name in names where hosts[name] == nil { sides?.close(name) }
        } else {
            hosts = Dictionary(try FoundLink.all(through: &socket).map { (LinkName(reported: $0.name), $0) }) { $1 }
            tunnels = Dictionary(try FoundLink.tunnels(through: &socket).map { (LinkName(reported: $0.name), $0) }) { $1 }
            try ends.read(through: &socket)
            places = [:]
            sides?.closeAll(but: Set(hosts.keys))
        }
        var objects = ends.objects(at: hosts.ends(.host).merging(tunnels.ends(.host)) { $1 }, andElsewhere: names == nil)
        objects += try observe(tunnels)
        if names == nil { objects += try TableRule.all(through: &socket).map { .tableRule($0) } }
        var pods: [LinkName: FoundLink] = [:]
        for (open, there) in try whereabouts(of: hosts, expected) {
            do throws(OpenFailure) {
                let found = try Self.observe(there, in: open, sides)
                pods.merge(found.pods) { $1 }
                objects += found.objects
            } catch {
                continue  // The namespace ended meanwhile.
            }
        }
        for (name, host) in hosts {
            var link = Link(host, as: name)
            if let place = expected[name], let pod = pods[name] {
                link.complete(with: pod, of: host, in: place.namespace)
                places[name] = Place(namespace: place.namespace, interface: pod.name)
            }
            objects.append(.link(link))
        }
        return objects
    }

    /// The namespaces that pod sides are expected in, each with the pairs whose other end is there indeed.
    private mutating func whereabouts(
        of hosts: [LinkName: FoundLink], _ expected: [LinkName: Place]
    ) throws(TransportError) -> [(open: OpenNamespace, hosts: [LinkName: FoundLink])] {
        let groups = Dictionary(grouping: hosts) { name, _ in expected[name]?.namespace }
        var namespaces: [String: OpenNamespace] = [:]
        for path in groups.keys.compactMap(\.self) {
            // One that can't be opened isn't where a pod is.
            do throws(NamespaceError) { namespaces[path] = OpenNamespace(try NetworkNamespace(at: path)) } catch { continue }
        }
        let numbers = try numbers(of: namespaces)
        return namespaces.map { path, open in
            let there = groups[path, default: []].filter { $0.value.peerNamespace != nil && $0.value.peerNamespace == numbers[path] }
            return (open, Dictionary(there.map { ($0.key, $0.value) }) { $1 })
        }
    }

    /// The pod sides in one namespace, and what they have.
    private static func observe(
        _ hosts: [LinkName: FoundLink], in open: OpenNamespace, _ sides: PodSides?
    ) throws(OpenFailure) -> (pods: [LinkName: FoundLink], objects: [LinkObject]) {
        let names = Array(hosts.keys)
        let home = try? open.namespace.identity
        var socket = try NetlinkSocket(.route, in: open.namespace) {
            guard let sides, let home else { return }
            for name in names { sides.pause(name, in: home, at: open.namespace.path, forgets: true) }
        }
        do throws(TransportError) {
            var batch = Batch()
            for name in names { _ = batch.addFind(hosts[name]?.peer ?? InterfaceIndex(0)) }
            var pods: [LinkName: FoundLink] = [:]
            try socket.ask(&batch, absences: Gone.links) { index, header, message in
                if let pod = FoundLink(header, message), pod.peer == hosts[names[index]]?.index { pods[names[index]] = pod }
            }
            var ends = FoundEnds()
            try ends.read(through: &socket)
            for name in names { sides?.listen(to: name, expecting: pods[name].map(PodSides.Expectation.init)) }
            return (pods, ends.objects(at: pods.ends(.pod)))
        } catch {
            throw .transport(error)
        }
    }
}

extension [LinkName: FoundLink] {
    /// A link that was renamed while it was asked for is there by both of its names.
    fileprivate func ends(_ side: End.Side) -> [InterfaceIndex: End] {
        Dictionary<InterfaceIndex, End>(map { ($1.index, End($0, side)) }) { $1 }
    }
}

extension Link {
    /// What its host side says.
    fileprivate init(_ host: FoundLink, as name: LinkName) {
        self.init(
            name: name, pod: ID(host.alias), hostMAC: host.mac, namespace: "", interface: "", mac: MAC(0), mtu: host.mtu, isUp: false,
            reversePath: ReversePath(rawValue: host.reversePath) ?? .off)
    }

    /// What its pod side says.
    fileprivate mutating func complete(with pod: FoundLink, of host: FoundLink, in path: String) {
        // A pair on its way out isn't anybody's any more.
        guard host.group == Marks.linkGroup else { return }
        namespace = path
        interface = pod.name
        mac = pod.mac
        mtu = host.mtu == pod.mtu ? host.mtu : 0
        isUp = host.isUp && pod.isUp
    }
}

extension PodSides.Expectation {
    fileprivate init(_ pod: FoundLink) { self.init(index: pod.index, name: pod.name, mac: pod.mac, mtu: pod.mtu, isUp: pod.isUp) }
}
