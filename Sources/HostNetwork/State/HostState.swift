/// What Hawser's share of a host is: one type for what is wanted and for what is there.
package struct HostState: Hashable, Sendable {
    package var entries: [Object.Key: Entry] = [:]

    package init() {}

    package init(_ entries: some Sequence<Entry>) {
        for entry in entries { insert(entry) }
    }

    package mutating func insert(_ entry: Entry) { entries[entry.object.key] = entry }

    package subscript(key: Object.Key) -> Object? { entries[key]?.object }

    package func contains(_ object: Object) -> Bool { entries[object.key]?.object == object }

    package var links: some Sequence<Link> {
        entries.values.lazy.compactMap { if case .link(let link) = $0.object { link } else { nil } }
    }
}
