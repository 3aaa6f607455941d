import Foundation
import Lab

/// What runs through web-0 while it is bound to something else.
struct Traffic {
    /// client-0 → web-0, TCP port 80: both ends talk. It stays allowed.
    let shop: Conversation
    /// web-0 → office, UDP port 514: datagrams, each of them counted. It stays allowed.
    let syslog: Flood
    /// web-0 → db-0, TCP port 5432: both ends talk. It is allowed until web-0 is bound to something else.
    let sql: Conversation

    private static let interval: Duration = .milliseconds(3)

    init(on stage: Stage) throws {
        shop = try Self.shop(stage)
        sql = try Self.connect(stage, from: "web-0", to: "db-0", 5432)
        syslog = try Self.syslog(stage)
    }

    fileprivate static func shop(_ stage: Stage) throws -> Conversation { try connect(stage, from: "client-0", to: "web-0", 80) }

    fileprivate static func syslog(_ stage: Stage) throws -> Flood {
        guard let web = stage.places["web-0"] else { throw LabError("there is no web-0") }
        return try Flood(
            from: UDP(in: web, at: "10.1.0.10"), to: UDP(in: stage.office, at: "198.51.100.7", port: 514), at: "198.51.100.7",
            every: interval)
    }

    private static func connect(_ stage: Stage, from source: String, to destination: String, _ port: UInt16) throws -> Conversation {
        // Over IPv6, for a change: the matrix has shown that both families are treated alike.
        guard let client = stage.places[source], let server = stage.places[destination],
            let address = Matrix.addresses[destination]?.last
        else { throw LabError("there is no \(source) or \(destination)") }
        let listener = try TCPListener(in: server, at: address, port: port)
        guard let dialed = try TCP.connect(from: client, to: address, port: port, within: .seconds(3)),
            let accepted = listener.accept(within: .seconds(3))
        else { throw LabError("\(source) can't connect to \(destination), port \(port)") }
        return Conversation(between: dialed, and: accepted, every: interval)
    }

    /// Waits until so many messages more have gone each way of what stays allowed.
    func flow(_ count: Int) throws { try Self.flow(shop, count) }

    fileprivate static func flow(_ shop: Conversation, _ count: Int) throws {
        guard shop.wait(for: count, within: .seconds(20)) else { throw LabError("the connection client-0 → web-0 doesn't get on") }
    }
}

extension Conversation.Half {
    func arrived(before instant: ContinuousClock.Instant) -> Int { arrivals.count - arrived(after: instant) }
}

extension Traffic {
    /// What may run through web-0 in its quarantine.
    struct Survivors {
        private let shop: Conversation
        private let syslog: Flood

        init(on stage: Stage) throws {
            shop = try Traffic.shop(stage)
            syslog = try Traffic.syslog(stage)
        }

        func flow(_ count: Int) throws { try Traffic.flow(shop, count) }

        func stop() -> (shop: (client: Conversation.Half, server: Conversation.Half), syslog: Flood.Report) { (shop.stop(), syslog.stop()) }
    }
}
