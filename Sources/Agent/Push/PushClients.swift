package import HostNetwork

/// What a client of the push may do.
package struct PushRights: Hashable, Sendable {
    /// Everything of this host.
    package var mayPushAll = false
    /// The resources of these networks.
    package var networks: Set<ID<Network>> = []
    /// Beginnings of the ids that they may get beside their networks' own, and where their neighbors may be said to live: see `Scope`.
    package var ids: Set<String> = []
    package var hosts: Set<Prefix> = []
    /// Events, and dry runs of whatever.
    package var mayRead = false

    package static let everything = PushRights(mayPushAll: true, mayRead: true)

    package var mayPush: Bool { mayPushAll || !networks.isEmpty }
    /// Nil: everything.
    package var scope: Scope? { mayPushAll ? nil : Scope(networks, ids: ids, hosts: hosts) }

    /// What it may be told of; nil: everything.
    package var view: Scope? { mayRead ? nil : scope }

    fileprivate mutating func add(_ other: PushRights) {
        mayPushAll = mayPushAll || other.mayPushAll
        mayRead = mayRead || other.mayRead
        networks.formUnion(other.networks)
        ids.formUnion(other.ids)
        hosts.formUnion(other.hosts)
    }
}

/// Who pushes.
package struct PushClient: Hashable, Sendable {
    /// As its certificate has it.
    package var name: String
    package var rights: PushRights
    /// As the store and the events spell it.
    package var source: String
}

/// The allow-list: lines such as "controller.example", "tenant.example=network:blue+network:green" or "monitor.example=read".
package struct PushClients: Hashable, Sendable {
    package static let valid =
        "NAME, NAME=all, NAME=read, NAME=network:ID, or several with +: NAME=read+network:ID; with a network also ids:BEGINNING or ids:*, "
        + "and hosts:PREFIX"

    /// Lets nobody in.
    static let nobody = PushClients()

    private var rights: [String: PushRights] = [:]
    private var isForAll = false

    private init() {}

    /// Nil when a line can't be read.
    package init?(_ lines: [String]) {
        isForAll = lines.isEmpty
        for line in lines {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let name = parts.first, !name.isEmpty, let rights = Self.rights(parts.count == 2 ? parts[1] : "all") else { return nil }
            self.rights[name, default: PushRights()].add(rights)
        }
    }

    private static func rights(_ text: String) -> PushRights? {
        var rights = PushRights()
        for word in text.split(separator: "+", omittingEmptySubsequences: false) {
            if word == "all" {
                rights.add(.everything)
            } else if word == "read" {
                rights.mayRead = true
            } else if word.hasPrefix("network:"), IDText.isValid(word.dropFirst(8)) {
                rights.networks.insert(ID(String(word.dropFirst(8))))
            } else if word == "ids:*" {
                rights.ids.insert("")
            } else if word.hasPrefix("ids:"), IDText.isValid(word.dropFirst(4)) {
                rights.ids.insert(String(word.dropFirst(4)))
            } else if word.hasPrefix("hosts:"), let hosts = try? Prefix(parsing: word.dropFirst(6)) {
                rights.hosts.insert(hosts)
            } else {
                return nil
            }
        }
        // Beside no network they would mean nothing, and somebody meant something.
        let isOfNetworks = rights.mayPushAll || !rights.networks.isEmpty
        return isOfNetworks || (rights.ids.isEmpty && rights.hosts.isEmpty) ? rights : nil
    }

    /// What somebody may do who proved to have all of these names; nil: he isn't on the list. An empty list lets everybody do everything
    /// whom the certificate authority has signed.
    package func client(named names: [String]) -> PushClient? {
        guard let first = names.first else { return nil }
        guard !isForAll else { return PushClient(name: first, rights: .everything, source: Source.push(first)) }
        let listed = names.filter { rights[$0] != nil }
        guard let name = listed.first else { return nil }
        var all = PushRights()
        for name in listed { all.add(rights[name] ?? PushRights()) }
        return PushClient(name: name, rights: all, source: Source.push(name))
    }
}
