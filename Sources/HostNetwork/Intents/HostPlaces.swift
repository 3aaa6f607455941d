/// Addresses that the host itself uses: its own, and the prefixes on its links. A subnet of a network that shares the host's
/// routing may take none of them: the host, and every pod that it routes for, would send to the subnet's pods instead.
package struct HostPlaces: Hashable, Sendable {
    package struct Place: Hashable, Sendable {
        package var prefix: Prefix
        /// Name of the interface.
        package var interface: String
        /// Whether it is an address of the host's, rather than the prefix of a link.
        package var isOwn: Bool

        package init(_ prefix: Prefix, at interface: String, isOwn: Bool) {
            self.prefix = prefix
            self.interface = interface
            self.isOwn = isOwn
        }
    }

    private var index = PrefixIndex<Place>()

    /// Most that are remembered. The wider ones come first, and the narrower ones beyond are not judged by.
    package static let most = 10_000

    package init(_ places: some Sequence<Place> = []) {
        for place in Set(places).filter(\.counts).sorted().prefix(Self.most) { index.insert(place, at: place.prefix) }
    }

    /// Returns what of it overlaps `prefix`, the widest first; nil for nothing.
    package func place(overlapping prefix: Prefix) -> Place? { index.first(overlapping: prefix)?.owner }
}

extension HostPlaces.Place {
    /// Whether it means particular hosts. A route to nearly everywhere is a way out, and what is loopback or link-local is no
    /// subnet's anyway.
    fileprivate var counts: Bool { prefix.length >= (prefix.family == .v4 ? 8 : 16) && prefix.first.notAssignable == nil }
}

/// The wider one first.
extension HostPlaces.Place: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        if left.prefix.length != right.prefix.length { return left.prefix.length < right.prefix.length }
        return (left.prefix, left.interface, left.isOwn ? 0 : 1) < (right.prefix, right.interface, right.isOwn ? 0 : 1)
    }
}

extension HostPlaces.Place: CustomStringConvertible {
    package var description: String {
        let text = prefix.isHost ? "\(prefix.first)" : "\(prefix)"
        return isOwn ? "\(text), the host's own (\(interface))" : "\(text), which is on the host's link \(interface)"
    }
}
