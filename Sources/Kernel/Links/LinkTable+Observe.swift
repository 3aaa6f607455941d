package import HostNetwork
package import Netlink
import SystemPackage

extension LinkTable {
    /// What there is of Hawser's: its pairs and tunnels, told by their mark, and what it put on them, told by the protocol number.
    ///
    /// What the kernel or the pod itself added isn't reported, with whatever mark (`FoundSides`). A pair whose pod side isn't the interface in the namespace that `expected`
    /// names is reported with an empty namespace and interface: it isn't what anybody wants. A pair whose ends have different MTUs is
    /// reported with 0. A pair is up when both of its ends are.
    ///
    /// - Parameters:
    ///   - expected: where the pod sides should be; the kernel doesn't know paths.
    ///   - names: the pairs and tunnels to look at; nil: all that there are.
    ///   - inner: pairs of which only the pod sides are looked at.
    package mutating func observe(
        _ expected: [LinkName: Place], only names: Set<LinkName>? = nil, inside inner: Set<LinkName> = []
    ) throws(TransportError) -> [LinkObject] {
        untold = [:]
        var hosts: [LinkName: FoundLink]
        let tunnels: [LinkName: FoundLink]
        var ends = FoundEnds()
        if let names {
            let all = names.union(inner)
            let links = try find(all).filter { $0.value.isOurs }
            for (name, link) in links where names.contains(name) { try ends.read(at: link.index, through: &socket) }
            (hosts, tunnels) = (links.filter { $0.value.tunnel == nil }, links.filter { $0.value.tunnel != nil })
            for name in all { places[name] = nil }
            for name in all where hosts[name] == nil { sides?.close(name) }
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
                let found = try FoundSides(of: there, expecting: expected, former: ground.former, in: open, sides)
                pods.merge(found.pods) { $1 }
                objects += found.objects
                untold.merge(found.untold) { $1 }
            } catch {
                // The pairs are there, so the namespace is, too.
                for name in there.keys { untold[name] = Untold("the pod's network namespace can't be looked at: \(error)") }
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
            let there = groups[path, default: []].filter { name, host in
                host.peerNamespace != nil && host.peerNamespace == numbers[path] && isHome(open, of: name)
            }
            return (open, Dictionary(there.map { ($0.key, $0.value) }) { $1 })
        }
    }

    /// Whether a namespace is the one that a pod side belongs into, as far as that is known.
    func isHome(_ open: OpenNamespace, of name: LinkName) -> Bool {
        guard let home = ground.homes[name] else { return true }
        do throws(NamespaceError) { return try open.namespace.identity == home } catch { return false }
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
