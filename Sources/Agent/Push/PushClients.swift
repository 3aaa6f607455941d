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

/// The allow-list: lines such as "controller.example", "tenant.example=network:blue+network:green" or "cn:monitor=read".
package struct PushClients: Hashable, Sendable {
    package static let valid =
        "NAME, NAME=all, NAME=read, NAME=network:ID, or several with +: NAME=read+network:ID; with a network also ids:BEGINNING or ids:*, "
        + "and hosts:PREFIX; a NAME is that of a host (DNS) or a URI, or says what it is: dns:NAME, uri:NAME, email:NAME, cn:NAME"

    /// Lets nobody in.
    static let nobody = PushClients()

    /// In the order of the list: the first that names a client decides, for one that has several names.
    private var rights: [PushRights] = []
    /// Where in it a name is.
    private var places: [PushName: Int] = [:]
    private var isForAll = false

    private init() {}

    /// Nil when a line can't be read.
    package init?(_ lines: [String]) {
        isForAll = lines.isEmpty
        var entries: [[PushName]: Int] = [:]
        for line in lines {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let entry = parts.first, let names = Self.names(entry), let rights = Self.rights(parts.count == 2 ? parts[1] : "all")
            else {
                return nil
            }
            // Several lines about one name are one.
            if let place = entries[names] {
                self.rights[place].add(rights)
                continue
            }
            let place = self.rights.count
            entries[names] = place
            self.rights.append(rights)
            for name in names where places[name] == nil { places[name] = place }
        }
    }

    /// What an entry may stand for: without a kind, what authorities vouch for, and no name that people choose.
    private static func names(_ text: String) -> [PushName]? {
        for kind in PushName.Kind.allCases where text.hasPrefix(kind.rawValue + ":") {
            let rest = String(text.dropFirst(kind.rawValue.count + 1))
            return rest.isEmpty ? nil : [PushName(kind, rest)]
        }
        return text.isEmpty ? nil : [PushName(.dns, text), PushName(.uri, text)]
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

    /// The networks that some client is held to.
    var tenants: Set<ID<Network>> { rights.filter { !$0.mayPushAll }.reduce(into: []) { $0.formUnion($1.networks) } }

    /// How those are called who aren't on the list.
    static func strangers(_ names: [PushName]) -> String {
        guard !names.isEmpty else { return "a client without a name" }
        // A certificate may have thousands, of any length.
        let first = names.prefix(3).map(\.description.excerpt).joined(separator: ", ")
        return names.count > 3 ? "\(first) and \(names.count - 3) names more" : first
    }

    /// What somebody may do who proved to have all of these names; nil: he isn't on the list. An empty list lets everybody do everything
    /// whom the certificate authority has signed.
    package func client(named names: [PushName]) -> PushClient? {
        guard let first = names.first else { return nil }
        guard !isForAll else { return PushClient(name: first.plain, rights: .everything, source: Source.push(first.plain)) }
        let listed = names.compactMap { name in places[name].map { (name: name.plain, place: $0) } }
        guard let (name, place) = listed.min(by: { $0.place < $1.place }) else { return nil }
        return PushClient(name: name, rights: rights[place], source: Source.push(name))
    }
}
