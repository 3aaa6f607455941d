import Dispatch
import Foundation
import Lab
import Synchronization

/// Who reaches whom, as measured: a connection is opened, a ping sent, between real interfaces.
struct Matrix {
    /// What is tried.
    enum Service: Hashable, CaseIterable {
        case http, sql, ssh, ping

        var port: UInt16? {
            switch self {
            case .http: 80
            case .sql: 5432
            case .ssh: 22
            case .ping: nil
            }
        }

        var text: String { port.map { "tcp \($0)" } ?? "ping" }
    }

    struct Way: Hashable {
        var source: String
        var destination: String
        var services: Set<Service>

        init(_ source: String, _ destination: String, _ services: Set<Service> = []) {
            self.source = source
            self.destination = destination
            self.services = services
        }
    }

    /// What should be so, way by way.
    let promised: [Way]
    private(set) var measured: [Probe: Bool] = [:]

    struct Probe: Hashable {
        var way: Way
        var service: Service
        /// 0 is IPv4, 1 is IPv6.
        var family: Int
    }

    /// IPv4 and IPv6; a pod sees the host by its gateway.
    static let addresses = [
        "web-0": ["10.1.0.10", "fd00:1::10"], "db-0": ["10.1.0.20", "fd00:1::20"], "client-0": ["10.1.0.30", "fd00:1::30"],
        "office": ["198.51.100.7", "2001:db8:1::7"], "host": ["10.1.0.1", "fd00:1::1"],
    ]

    /// Whoever doesn't answer within this time doesn't: everybody is on this very machine.
    private static let patience: Duration = .milliseconds(700)

    /// Tries everything at once.
    init(_ promised: [Way], on stage: Stage) throws {
        self.promised = promised
        let places = stage.places.merging(["host": stage.host, "office": stage.office]) { $1 }
        let listeners = try Set(promised.map(\.destination)).flatMap { name in
            try Service.allCases.compactMap(\.port).flatMap { port in
                try (Self.addresses[name] ?? []).compactMap { address in
                    try places[name].map { try TCPListener(in: $0, at: address, port: port) }
                }
            }
        }
        defer { withExtendedLifetime(listeners) {} }
        let probes = promised.flatMap { way in
            Service.allCases.flatMap { service in [0, 1].map { Probe(way: way, service: service, family: $0) } }
        }
        let results = Mutex<[Probe: Bool]>([:])
        let group = DispatchGroup()
        for probe in probes {
            guard let place = places[probe.way.source] else { continue }
            group.enter()
            Thread {
                let reached = (try? Self.tries(probe, from: place)) ?? false
                results.withLock { $0[probe] = reached }
                group.leave()
            }.start()
        }
        group.wait()
        measured = results.withLock { $0 }
    }

    private static func tries(_ probe: Probe, from place: LabNamespace) throws -> Bool {
        guard let target = addresses[probe.way.destination]?[probe.family] else { return false }
        if let port = probe.service.port {
            return try TCP.attempt(from: place, to: target, port: port, within: patience) == .connected
        }
        let any = probe.family == 0 ? "0.0.0.0" : "::"
        return try Echo(in: place, at: any).reaches(target, within: patience)
    }

    func lines(_ page: Page) -> [String] {
        var grid = Grid()
        grid.add(["FROM", "TO"] + Service.allCases.map(\.text))
        grid.add(["", ""] + Service.allCases.map { _ in "IPv4 IPv6" })
        for way in promised {
            let cells = Service.allCases.map { service in
                [0, 1].map { measured[Probe(way: way, service: service, family: $0)] ?? false ? "yes" : "no " }.joined(separator: "  ")
            }
            grid.add([way.source, way.destination] + cells)
        }
        return grid.lines { cell in
            cell.hasPrefix("yes") || cell.hasSuffix("yes")
                ? page.styled(cell, .green) : cell.hasPrefix("no ") ? page.styled(cell, .dim) : cell
        }
    }

    /// The cells that aren't as promised.
    var surprises: [String] {
        measured.compactMap { probe, reached in
            let wanted = probe.way.services.contains(probe.service)
            guard reached != wanted else { return nil }
            let family = probe.family == 0 ? "IPv4" : "IPv6"
            return "\(probe.way.source) → \(probe.way.destination) \(probe.service.text) \(family): \(reached ? "yes" : "no")"
        }.sorted()
    }
}
