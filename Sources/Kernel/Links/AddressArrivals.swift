import CLibMNL
import HostNetwork
import Netlink
import SystemPackage

/// IPv6 addresses that were added and can't be used yet.
///
/// The kernel acknowledges an IPv6 address and leaves to a worker what makes it one: its route in the local table, even when there is no
/// duplicate to be looked for (`addrconf_dad_work`, net/ipv6/addrconf.c). Until then it throws away what comes for the address. On a
/// busy host that is some milliseconds, in which a pod that was said to be ready would lose its first packets.
struct AddressArrivals {
    /// How long the kernel's worker is waited for; it isn't an error if it takes longer.
    private static let patience: Duration = .seconds(1)

    private var missing: Set<IPAddress>

    init(of steps: [LinkStep]) { missing = Set(steps.compactMap(Self.address)) }

    /// These weren't added, or were there.
    mutating func forget(_ steps: [LinkStep]) { missing.subtract(steps.compactMap(Self.address)) }

    private static func address(of step: LinkStep) -> IPAddress? {
        if case .add(.address(let address)) = step, address.address.family == .v6 { address.address } else { nil }
    }

    /// The multicast groups that tell of an arrival.
    var groups: [UInt32] { missing.isEmpty ? [] : [RTNLGRP_IPV6_ROUTE.rawValue] }

    mutating func note(_ header: MessageHeader, _ message: RawSpan) {
        guard header.type == .newRoute, let info = message.structure(at: MessageHeader.size, as: rtmsg.self),
            Int(info.rtm_type) == RTN_LOCAL
        else { return }
        message.attributes(after: rtmsg.self) { number, payload in
            if UInt32(number) == RTA_DST.rawValue, let address = IPAddress(bytes: payload.array) { missing.remove(address) }
        }
    }

    mutating func wait(through socket: inout NetlinkSocket) {
        let deadline = ContinuousClock.now + Self.patience
        while !missing.isEmpty {
            do throws(TransportError) {
                guard try socket.next(before: deadline, { note($0, $1) }) else { return }
            } catch {
                return  // Nothing more is to be learned from this socket; the addresses come all the same.
            }
        }
    }
}
