import HostNetwork
import Netlink
import SystemPackage

/// What there is of Hawser's at pods' interfaces in one namespace.
///
/// That is foreign ground: the pod may have put anything there, of any number and with any mark, Hawser's
/// included. So neighbor entries are asked for one by one; lists are those of one interface, and read no
/// further than `most` messages beyond what is expected; and of what bears the mark only that is Hawser's
/// which may have been put there by it. Nothing else is ever taken away.
struct FoundSides {
    /// Messages of a list, besides those that are expected.
    static let most = 500

    private(set) var pods: [LinkName: FoundLink] = [:]
    private(set) var objects: [LinkObject] = []
    private(set) var untold: [LinkName: Untold] = [:]

    /// - Parameters:
    ///   - hosts: the pairs whose other end is there, by their host sides.
    ///   - former: addresses that pods have let go.
    init(
        of hosts: [LinkName: FoundLink], expecting places: [LinkName: LinkTable.Place],
        former: Set<IPAddress>, in open: OpenNamespace,
        _ sides: PodSides?
    ) throws(OpenFailure) {
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
                if let pod = FoundLink(header, message), pod.peer == hosts[names[index]]?.index {
                    pods[names[index]] = pod
                }
            }
            self.pods = pods
        } catch {
            throw .transport(error)
        }
        for name in names {
            defer { sides?.listen(to: name, expecting: pods[name].map(PodSides.Expectation.init)) }
            guard let pod = pods[name], let place = places[name] else { continue }
            do throws(TransportError) {
                objects += try Self.objects(at: pod, End(name, .pod), place, former, through: &socket)
            } catch {
                untold[name] = Untold(error, at: place)
                // The rest of a list may still come by this one.
                socket = try NetlinkSocket(.route, in: open.namespace)
            }
        }
    }

    private static func objects(
        at pod: FoundLink, _ end: End, _ place: LinkTable.Place, _ former: Set<IPAddress>,
        through socket: inout NetlinkSocket
    ) throws(TransportError) -> [LinkObject] {
        var objects: [LinkObject] = []
        for found in try FoundAddress.inside(at: pod.index, besides: place.addresses.count, through: &socket)
        where place.addresses.contains(found.address) || former.contains(found.address) {
            objects.append(.address(InterfaceAddress(end, found.address)))
        }
        for family in Family.allCases {
            objects += try FoundRoute.defaults(family, at: pod.index, through: &socket).map {
                .route(Route($0, at: end))
            }
        }
        for found in try FoundNeighbor.inside(place.neighbors.sorted(), at: pod.index, through: &socket) {
            objects.append(.neighbor(NeighborEntry(end, found.address, at: found.mac)))
        }
        return objects
    }
}

extension Untold {
    fileprivate init(_ error: TransportError, at place: LinkTable.Place) {
        if case .tooMany(let limit) = error {
            self.init(
                "there are more than \(limit) addresses or routes at \(place.interface) of \(place.namespace): nothing is looked at there for a "
                    + "minute, and nothing taken away", isTooMuch: true)
        } else {
            self.init("\(place.interface) of \(place.namespace) can't be looked at: \(error)")
        }
    }
}

extension PodSides.Expectation {
    fileprivate init(_ pod: FoundLink) {
        self.init(index: pod.index, name: pod.name, mac: pod.mac, mtu: pod.mtu, isUp: pod.isUp)
    }
}
