package import HawserAPI
import HostNetwork

/// A question that makes no sense: which part of it, and what would.
package struct NoQuestion: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    init(_ field: String, _ value: String, _ reason: String) { description = "\(field) \(value): \(reason)" }
    init(_ description: String) { self.description = description }
}

/// What only the kernel knows, and doesn't say at present.
package struct Unasked: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    init(_ remote: IPAddress, _ reason: String) {
        description =
            "the kernel doesn't say where the host's own routing sends what is for \(remote), nor whether that is the host itself: \(reason)"
    }
}

extension Question {
    /// Reads what was asked; every word is checked.
    init(_ query: ExplainQuery) throws(NoQuestion) {
        guard let direction = Rule.Direction(rawValue: query.direction) else {
            throw NoQuestion("direction", query.direction, "it is ingress or egress")
        }
        let remote: IPAddress
        do throws(InvalidAddress) { remote = try IPAddress(parsing: query.remote) } catch {
            throw NoQuestion("remote", query.remote, "it is an IPv4 or IPv6 address, such as 10.1.0.10")
        }
        self.init(pod: ID(query.pod), direction: direction, remote: remote, content: try Self.content(query, remote.family))
    }

    private static func content(_ query: ExplainQuery, _ family: Family) throws(NoQuestion) -> Content {
        let ports = (
            source: try query.sourcePort.map { text throws(NoQuestion) in try port("sourcePort", text) },
            destination: try query.port.map { text throws(NoQuestion) in try port("port", text) }
        )
        let hasPorts = ports.source != nil || ports.destination != nil
        let (type, code) = try query.icmpType.map { text throws(NoQuestion) in try icmp(text) } ?? (nil, nil)
        guard let name = query.protocol else {
            if type != nil, hasPorts { throw NoQuestion("icmpType and ports don't go together") }
            if type != nil { return .icmp(type: type, code: code) }
            return hasPorts ? .ports(.tcp, source: ports.source, destination: ports.destination) : .anyProtocol
        }
        guard let named = IPProtocol(named: name) else {
            if name == "any" || name == "0" { return .anyProtocol }
            throw NoQuestion("protocol", name, "it is a name such as tcp, udp, icmp, or a number from 0 to 255")
        }
        let number = named.spoken(in: family)
        if number.isICMP {
            if hasPorts { throw NoQuestion("port", query.port ?? query.sourcePort ?? "", "\(number) has no ports") }
            guard (number == .icmp) == (family == .v4) else {
                throw NoQuestion("protocol", name, "it doesn't go with an \(family) address")
            }
            return .icmp(type: type, code: code)
        }
        if let type = query.icmpType { throw NoQuestion("icmpType", type, "only icmp and icmpv6 have types") }
        if number.hasPorts { return .ports(number, source: ports.source, destination: ports.destination) }
        if hasPorts { throw NoQuestion("port", query.port ?? query.sourcePort ?? "", "\(number) has no ports") }
        return .other(number)
    }

    private static func port(_ field: String, _ text: String) throws(NoQuestion) -> UInt16 {
        guard let port = UInt16(text), port > 0 else { throw NoQuestion(field, text, "it is a number from 1 to 65535") }
        return port
    }

    /// "8", or "3/4": a type and a code.
    private static func icmp(_ text: String) throws(NoQuestion) -> (UInt8?, UInt8?) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let type = parts.first.flatMap({ UInt8($0) }), parts.count <= 2 else {
            throw NoQuestion("icmpType", text, "it is a type from 0 to 255, or a type and a code, such as 3/4")
        }
        if parts.count == 1 { return (type, nil) }
        guard let code = UInt8(parts[1]) else { throw NoQuestion("icmpType", text, "its code is a number from 0 to 255") }
        return (type, code)
    }
}

extension Reconciler {
    package func explain(_ query: ExplainQuery) async throws -> ExplainView {
        let question = try Question(query)
        // Who asks about a pod that isn't known is told so by the host's own.
        let domain = intents.pods[question.pod].map { map.domain(of: $0.network) } ?? .host
        return ExplainView(try await (domains[domain] ?? makeDomain(domain)).explain(question))
    }
}

extension ExplainView {
    init(_ explanation: Explanation) {
        let deciding = explanation.deciding
        self.init(
            verdict: Verdict(isAllowed: explanation.isAllowed), network: explanation.network.value, group: deciding?.group?.value,
            rule: deciding?.rule, reason: deciding?.reason ?? "",
            halves: explanation.halves.map { half in
                Half(
                    pod: half.pod.value, direction: half.direction.rawValue, verdict: Verdict(isAllowed: half.isAllowed),
                    group: half.group?.value, rule: half.rule, reason: half.reason)
            }, route: Route(explanation.route))
    }
}

extension ExplainView.Route {
    fileprivate init(_ route: TakenRoute) {
        let (kind, id, host): (Kind, String?, IPAddress?) =
            switch route.end {
            case .pod(let pod): (.pod, pod.value, nil)
            case .host: (.host, nil, nil)
            case .neighbor(let neighbor, let host): (.neighbor, neighbor.value, host)
            case .outside: (.outside, nil, nil)
            case .nowhere: (.nowhere, nil, nil)
            }
        self.init(
            kind, reason: route.reason, id: id, host: host?.description, fabric: route.fabric?.rawValue,
            tunnel: route.tunnel.map { Int($0.value) }, device: route.device, gateway: route.gateway?.description,
            destination: route.destination?.description, subnet: route.subnet, nextHop: route.nextHop?.description)
    }
}
