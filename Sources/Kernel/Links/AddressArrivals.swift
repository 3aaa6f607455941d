import CLibMNL
import HostNetwork
import Netlink
import SystemPackage

/// IPv6 addresses that were added and can't be used yet.
///
/// The kernel acknowledges an IPv6 address and leaves to a worker what makes it one: its route in the local
/// table, even when there is no duplicate to be looked for (`addrconf_dad_work`, net/ipv6/addrconf.c). Until
/// then it throws away what comes for the address. On a busy host that is some milliseconds, in which a pod
/// that was said to be ready would lose its first packets.
struct AddressArrivals {
    /// How long the kernel's worker is waited for; it isn't an error if it takes longer. The pod can see to
    /// it that it does.
    private static let patience: Duration = .seconds(1)
    /// The same where nobody waits for the pod.
    private static let leastPatience: Duration = .milliseconds(100)

    private var missing: Set<IPAddress>
    private let deadline: ContinuousClock.Instant

    init(of steps: [LinkStep], isAwaited: Bool) {
        missing = Set(steps.compactMap(Self.address))
        deadline = .now + (isAwaited ? Self.patience : Self.leastPatience)
    }

    var isEmpty: Bool { missing.isEmpty }

    /// These weren't added, or were there.
    mutating func forget(_ steps: [LinkStep]) { missing.subtract(steps.compactMap(Self.address)) }

    private static func address(of step: LinkStep) -> IPAddress? {
        if case .add(.address(let address)) = step, address.address.family == .v6 {
            address.address
        } else {
            nil
        }
    }

    /// Returns when all have arrived, or there was enough waiting.
    func wait(for news: ArrivalSocket) {
        var missing = missing
        // News may come without an end.
        while !missing.isEmpty, .now < deadline {
            do throws(TransportError) {
                guard try news.socket.next(before: deadline, { Self.note($0, $1, &missing) }) else { return }
            } catch {
                return  // Nothing more is to be learned from this socket; the addresses come all the same.
            }
        }
    }

    private static func note(_ header: MessageHeader, _ message: RawSpan, _ missing: inout Set<IPAddress>) {
        guard header.type == .newRoute, let info = message.structure(at: MessageHeader.size, as: rtmsg.self),
            Int(info.rtm_type) == RTN_LOCAL
        else { return }
        message.attributes(after: rtmsg.self) { number, payload in
            if UInt32(number) == RTA_DST.rawValue, let address = IPAddress(bytes: payload.array) {
                missing.remove(address)
            }
        }
    }
}

/// Listens in a pod's namespace to what becomes of routes.
final class ArrivalSocket {
    var socket: NetlinkSocket

    init(in namespace: borrowing NetworkNamespace) throws(OpenFailure) {
        socket = try NetlinkSocket(.route, in: namespace, groups: [RTNLGRP_IPV6_ROUTE.rawValue])
    }
}
