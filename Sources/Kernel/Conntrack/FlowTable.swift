import CLibMNL
package import HostNetwork
package import Netlink
import SystemPackage

/// The tracked flows of one routing domain.
package struct FlowTable: ~Copyable {
    private var socket: NetlinkSocket

    /// Of the namespace that the calling thread is in.
    package init() throws(TransportError) {
        socket = try NetlinkSocket(.netfilter, space: 4 << 20)
    }

    /// Of a routing domain that is a namespace of its own.
    package init(in namespace: borrowing NetworkNamespace) throws(OpenFailure) {
        socket = try NetlinkSocket(.netfilter, in: namespace, space: 4 << 20)
    }

    /// Every flow.
    package mutating func flows() throws(TransportError) -> [Flow] {
        try socket.dump(.getFlow, { $0.put(raw: nfgenmsg(nil)) }, Flow.init)
    }

    /// The flows that an address takes part in, whoever began them.
    package mutating func flows(of address: IPAddress) throws(TransportError) -> [Flow] {
        switch address {
        case .v4(let number): Array(Set(try flows(ofIPv4: number).flatMap(\.flows)))
        case .v6: Array(try flows(of: [AddressRange(Prefix(address))]))
        }
    }

    /// How many there are, by the kernel's own count.
    package mutating func count() throws(TransportError) -> Int {
        var count: UInt32 = 0
        var batch = Batch()
        batch.add(.getFlowCount) { $0.put(raw: nfgenmsg(nil)) }
        try socket.ask(&batch, absences: []) { _, _, message in
            message.attributes(after: nfgenmsg.self) { number, payload in
                if UInt32(number) == CTA_STATS_GLOBAL_ENTRIES.rawValue { count = payload.networkOrder() }
            }
        }
        return Int(count)
    }

    /// The flows that addresses of these ranges take part in.
    ///
    /// The kernel finds those of an IPv4 address by itself, and goes through its whole table for it, as often as there are roles. Where there are
    /// few flows, or many addresses, it is quicker to be told of them all. It has no filter for ranges, and none that works for IPv6.
    private mutating func flows(of ranges: [AddressRange]) throws(TransportError) -> Set<Flow> {
        var found: Set<Flow> = []
        var rest = ranges
        let split = rest.partition { $0.first == $0.last && $0.family == .v4 }
        let singles = rest.count - split
        if 1...Self.mostLookups ~= singles, try count() > singles * Self.toldMeanwhile {
            for single in rest[split...] { found.formUnion(try flows(of: single.first)) }
            rest.removeSubrange(split...)
        }
        guard !rest.isEmpty else { return found }
        let addresses = Set(rest.lazy.filter { $0.first == $0.last }.map(\.first))
        let wide = rest.filter { $0.first != $0.last }
        func isOf(_ address: IPAddress) -> Bool { addresses.contains(address) || wide.contains { $0.contains(address) } }
        let family: Family? = rest.allSatisfy { $0.family == .v6 } ? .v6 : nil
        let all = try socket.dump(.getFlow, { $0.put(raw: nfgenmsg(family)) }, Flow.init)
        return found.union(all.lazy.filter { isOf($0.source) || isOf($0.destination) || isOf($0.answerer) })
    }

    /// Flows that can be told of in the time of one address's lookups; and addresses whose lookups take longer than any table's telling.
    ///
    /// Measured (262,144 buckets, two busy processors, Linux 6.18): to go through an empty table takes 10 ms, with 20,000 flows in it 11, with 200,000
    /// 42; to be told of 2,000 flows takes 15 ms, of 20,000 72, of 200,000 659.
    private static let (toldMeanwhile, mostLookups) = (5000, 5)

    /// Deletes the flows that an address takes part in, and answers how many there were. What it goes on sending begins anew.
    package mutating func delete(of address: IPAddress) throws(TransportError) -> Int {
        guard case .v4(let number) = address else {
            let flows = try flows(of: address)
            try delete(Set(flows))
            return flows.count
        }
        let found = try flows(ofIPv4: number)
        var batch = Batch()
        for (role, flows) in found where !flows.isEmpty {
            batch.add(.deleteFlow) { role.putFilter(ipv4: number, into: &$0) }
        }
        let flows = Set(found.flatMap(\.flows))
        if let (_, error) = try socket.send(&batch).first(where: { !Self.gone.contains($0.value.errno) }) {
            // A kernel before 6.8 takes the filter for a flow that isn't named in full.
            guard Self.noFilter.contains(error.errno) else { throw .refused(error) }
            try delete(flows)
        }
        return flows.count
    }

    /// The same of every address of a range.
    package mutating func delete(of range: AddressRange) throws(TransportError) -> Int {
        if range.first == range.last { return try delete(of: range.first) }
        let flows = try flows(of: [range])
        try delete(flows)
        return flows.count
    }

    private mutating func delete(_ flows: Set<Flow>) throws(TransportError) {
        try change(flows) { batch, flow in
            batch.add(.deleteFlow) { flow.putName(into: &$0) }
        }
    }

    /// Sets the bits of `mask` to 0 in the marks of the flows that addresses of these ranges take part in, and answers how many had one that
    /// was set.
    package mutating func clear(_ mask: UInt32, of ranges: [AddressRange]) throws(TransportError) -> Int {
        let flows = try flows(of: ranges).filter { $0.mark & mask != 0 }
        try change(flows) { batch, flow in
            batch.add(.newFlow) { message in
                flow.putName(into: &message)
                message.put(AttributeKey<NetworkOrder<UInt32>>(CTA_MARK), 0)
                // The bits that the mark's new value is for (`ctnetlink_change_mark`).
                message.put(AttributeKey<NetworkOrder<UInt32>>(CTA_MARK_MASK), mask)
            }
        }
        return flows.count
    }

    /// Says something of each flow to the kernel; flows that are gone meanwhile don't matter.
    private mutating func change(_ flows: Set<Flow>, _ add: (inout Batch, Flow) -> Void) throws(TransportError) {
        var batch = Batch(reserving: flows.count * 128)
        for flow in flows { add(&batch, flow) }
        for (_, error) in try socket.send(&batch) where !Self.gone.contains(error.errno) { throw .refused(error) }
    }

    private mutating func flows(ofIPv4 address: UInt32) throws(TransportError) -> [(role: FlowRole, flows: [Flow])] {
        var found: [(role: FlowRole, flows: [Flow])] = []
        for role in FlowRole.allCases {
            // Filtered by the kernel; and here, for one that doesn't know the filter.
            let flows = try socket.dump(.getFlow, { role.putFilter(ipv4: address, into: &$0) }, Flow.init)
            found.append((role, flows.filter { role.holds(.v4(address), in: $0) }))
        }
        return found
    }

    private static let gone: Set<Errno> = [.noSuchFileOrDirectory]
    private static let noFilter: Set<Errno> = [.notSupportedOnSocket, .invalidArgument]
}

extension Flow {
    /// Writes the header and what names this flow and no other.
    fileprivate func putName(into message: inout MessageWriter) {
        message.put(raw: nfgenmsg(source.family))
        // NLA_F_NESTED (linux/netlink.h)
        message.put(AttributeKey<Bytes>(UInt32(CTA_TUPLE_ORIG.rawValue) | 1 << 15), tuple)
        if let zone { message.put(AttributeKey<UInt16>(CTA_ZONE), zone) }
        if let id { message.put(AttributeKey<UInt32>(CTA_ID), id) }
    }
}
