import HostNetwork
import Testing

@testable import Agent

@Suite("What ails pods") struct AilmentsTests {
    private static let web = LinkName(of: "web")
    private static let pod = ID<Pod>("web")
    private static let network = ID<Network>("red").intent

    private static func refusal(_ because: IntentID, _ words: String) -> Refusal {
        let object = Object.address(InterfaceAddress(End(web, .pod), .v4(0x0a01_000a)))
        return Refusal(
            HostNetwork.Operation(.add, Entry(object, because: because)), errno: 17, explanation: words,
            isInside: true)
    }

    @Test(
        "is told for each resource, the first cause of each, and tried again later and later, half a minute at most"
    )
    func refusals() {
        var ailments = Ailments()
        let refusals = [
            Self.refusal(Self.pod.intent, "first"), Self.refusal(Self.pod.intent, "second"),
            Self.refusal(Self.network, "hop"),
        ]
        #expect(
            (0..<7).map { _ in ailments.note(Self.web, refusals) }
                == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        #expect(ailments.reasons.mapValues(\.explanation) == [Self.pod.intent: "first", Self.network: "hop"])
        #expect(ailments.reasons[Self.pod.intent]?.errno == 17)
    }

    @Test("is over when all is as it is wanted, and then it begins anew")
    func heals() {
        var ailments = Ailments()
        _ = ailments.note(Self.web, [Self.refusal(Self.pod.intent, "first")])
        ailments.forget { _ in false }
        #expect(ailments.contains(Self.web))
        ailments.forget { _ in true }
        #expect(!ailments.contains(Self.web) && ailments.reasons.isEmpty)
        #expect(ailments.note(Self.web, [Self.refusal(Self.pod.intent, "again")]) == .seconds(1))
    }

    @Test(
        "isn't over as long as nothing can be seen, whatever is believed; where there is too much it is left alone for a minute"
    )
    func untold() {
        var ailments = Ailments()
        #expect(ailments.note(Self.web, Untold("too much", isTooMuch: true), of: Self.pod) == .seconds(60))
        ailments.forget { _ in true }
        #expect(ailments.reasons[Self.pod.intent]?.reason == "too much")
        // A refusal beside it, and looks at others, don't change that.
        _ = ailments.note(Self.web, [Self.refusal(Self.pod.intent, "refused")])
        ailments.see([LinkName(of: "other")], but: [])
        ailments.see(nil, but: [Self.web])
        ailments.forget { _ in true }
        #expect(ailments.contains(Self.web))
        ailments.see([Self.web], but: [])
        ailments.forget { _ in true }
        #expect(!ailments.contains(Self.web))
    }
}
