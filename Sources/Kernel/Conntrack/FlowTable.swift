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
        case .v6:
            try socket.dump(.getFlow, { $0.put(raw: nfgenmsg(.v6)) }, Flow.init).filter { flow in
                FlowRole.allCases.contains { $0.holds(address, in: flow) }
            }
        }
    }

    /// The flows that an address of a range takes part in, found among all: the kernel has no filter for ranges.
    private mutating func flows(of range: AddressRange) throws(TransportError) -> Set<Flow> {
        Set(try flows().filter { flow in [flow.source, flow.destination, flow.answerer].contains { range.contains($0) } })
    }

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
        let flows = try flows(of: range)
        try delete(flows)
        return flows.count
    }

    private mutating func delete(_ flows: Set<Flow>) throws(TransportError) {
        try change(flows) { batch, flow in
            batch.add(.deleteFlow) { flow.putName(into: &$0) }
        }
    }

    /// Sets the bits of `mask` to 0 in the marks of the flows that an address takes part in, and answers how many had one that was set.
    package mutating func clear(_ mask: UInt32, of address: IPAddress) throws(TransportError) -> Int {
        try clear(mask, of: Set(flows(of: address)))
    }

    /// The same of every address of a range.
    package mutating func clear(_ mask: UInt32, of range: AddressRange) throws(TransportError) -> Int {
        if range.first == range.last { return try clear(mask, of: range.first) }
        return try clear(mask, of: flows(of: range))
    }

    private mutating func clear(_ mask: UInt32, of found: Set<Flow>) throws(TransportError) -> Int {
        let flows = found.filter { $0.mark & mask != 0 }
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
