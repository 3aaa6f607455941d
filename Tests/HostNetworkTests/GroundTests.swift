import HostNetwork
import Testing

@Suite("What there is inside of a pod") struct GroundTests {
    private static let web = LinkName(of: "web")
    private static let address = IPAddress.v4(0x0a01_000a)

    private static func link(in namespace: String, mtu: Int = 1500) -> Object {
        .link(
            Link(
                name: web, pod: "web", hostMAC: Marks.hostMAC, namespace: namespace,
                interface: namespace.isEmpty ? "" : "eth0",
                mac: MAC(0x0200_0a01_000a), mtu: mtu, isUp: true, reversePath: .strict))
    }

    private static let inside: [Object] = [
        .address(InterfaceAddress(End(web, .pod), address)),
        .neighbor(NeighborEntry(End(web, .pod), .v4(0x0a01_0001), at: Marks.hostMAC)),
        .route(Route(End(web, .pod), to: .everything(.v4), through: .v4(0x0a01_0001))),
    ]
    private static let outside: [Object] = [
        .route(Route(End(web, .host), to: Prefix(address))),
        .address(InterfaceAddress(End(web, .host), .v4(0x0a01_0001))),
    ]

    private static func state(_ objects: [Object]) -> HostState {
        HostState(objects.map { Entry($0, because: ID<Pod>("web").intent) })
    }

    private static let whole = state([link(in: "/run/netns/web")] + inside + outside)

    @Test("is what is in its namespace, and not what is on its link outside")
    func isInside() {
        #expect(Self.inside.allSatisfy(\.isInside) && !Self.outside.contains(where: \.isInside))
        #expect(!Self.link(in: "/run/netns/web").isInside)
        #expect(Self.inside.allSatisfy { $0.key.link == Self.web })
    }

    @Test(
        "is taken to be as before where nothing can be seen of it, or as it is wanted where nothing was known before"
    )
    func assumed() {
        var found = Self.state([Self.link(in: "/run/netns/web", mtu: 1400)] + Self.outside)
        found.assume([Self.web], from: HostState(), Self.whole)
        #expect(
            found == Self.state([Self.link(in: "/run/netns/web", mtu: 1400)] + Self.inside + Self.outside))
        // What was known counts more than what is wanted.
        var known = Self.state([Self.link(in: "/run/netns/web", mtu: 1400)] + Self.outside)
        known.assume(
            [Self.web], from: Self.state([Self.link(in: "/run/netns/web")] + Self.outside), Self.whole)
        #expect(known == Self.state([Self.link(in: "/run/netns/web", mtu: 1400)] + Self.outside))
    }

    @Test("is taken to be where it was, too, where not even that can be seen; a pair that is gone is gone")
    func assumedPlace() {
        var found = Self.state([Self.link(in: "")] + Self.outside)
        found.assume([Self.web], from: Self.whole)
        #expect(found == Self.whole)
        var gone = HostState()
        gone.assume([Self.web], from: Self.whole)
        #expect(gone == HostState())
    }

    @Test("is all that a look at it changes what is believed of, unless the pair is gone")
    func looked() {
        var believed = Self.whole
        let differences = believed.take(
            Self.state([Self.link(in: "/run/netns/web")]), of: Suspects(sides: [Self.web]),
            expecting: Self.whole)
        #expect(
            Set(differences.map(\.entry.object)) == Set(Self.inside)
                && differences.allSatisfy { $0.kind == .missing })
        #expect(believed == Self.state([Self.link(in: "/run/netns/web")] + Self.outside))

        believed = Self.whole
        #expect(
            believed.take(HostState(), of: Suspects(sides: [Self.web]), expecting: Self.whole).count
                == Self.whole.entries.count)
        #expect(believed == HostState())
    }
}
