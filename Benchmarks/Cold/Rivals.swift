import Kernel
import Lab
import Netlink

/// Another user of the host, who changes what is his own again and again.
protocol Rival: Actor {
    func change() throws
}

extension Rival {
    /// How long each change took.
    func waits(until isOver: SharedFlag) async throws -> [Duration] {
        var waits: [Duration] = []
        while !isOver.isUp, !Task.isCancelled {
            let start = ContinuousClock.now
            try change()
            waits.append(start.duration(to: .now))
            try await Task.sleep(for: .milliseconds(1))
        }
        return waits
    }
}

/// Another user of the host's nftables: adds an element to a set of a table of its own, takes it away, and so on. The numbers are those of
/// linux/netfilter/nf_tables.h and nfnetlink.h.
actor FirewallRival: Rival {
    private var socket: NetlinkSocket
    private var isThere = false

    init(on host: LabNamespace) throws {
        try host.run("nft", "add table inet rival; add set inet rival some { type ipv4_addr; }")
        socket = try NetlinkSocket(.netfilter, in: NetworkNamespace(at: host.path))
    }

    func change() throws {
        let sequences = socket.sequences(3)
        let first = sequences.lowerBound
        var batch = MessageWriter()
        let subsystem = UInt32(bigEndian: 10)  // struct nfgenmsg: res_id is NFNL_SUBSYS_NFTABLES
        batch.message(MessageType(rawValue: 0x10), .request, sequence: first) { $0.put(raw: subsystem) }
        let flags: MessageFlags = isThere ? [.request, .acknowledge] : [.request, .acknowledge, .create]
        // NFT_MSG_NEWSETELEM and NFT_MSG_DELSETELEM
        batch.message(MessageType(subsystem: 10, message: isThere ? 14 : 12), flags, sequence: first + 1) { message in
            message.put(raw: UInt32(1).littleEndian)  // NFPROTO_INET
            message.put(AttributeKey<String>(1), "rival")
            message.put(AttributeKey<String>(2), "some")
            message.nest(AttributeKey<Nest>(3)) { list in
                list.nest(AttributeKey<Nest>(1)) { element in
                    element.nest(AttributeKey<Nest>(1)) { $0.put(AttributeKey<Bytes>(1), [192, 0, 2, 1]) }
                }
            }
        }
        batch.message(MessageType(rawValue: 0x11), .request, sequence: first + 2) { $0.put(raw: subsystem) }
        if let error = try socket.transact(batch.bytes.span, sequences, end: first + 1).first {
            throw LabError("the other user of nftables was refused: \(error)")
        }
        isThere.toggle()
    }
}

/// Another user of the host's links: changes one of its own again and again, for which it needs the lock that all changes of links need.
actor LinkRival: Rival {
    private var socket: NetlinkSocket
    private var length: UInt32 = 1000

    init(on host: LabNamespace) throws {
        try host.run("ip", "link", "add", "rival", "type", "veth", "peer", "name", "rival-peer")
        socket = try NetlinkSocket(.route, in: NetworkNamespace(at: host.path))
    }

    func change() throws {
        length = length == 1000 ? 1001 : 1000
        var batch = Batch()
        batch.add(MessageType(19)) { message in  // RTM_SETLINK, linux/rtnetlink.h
            message.put(raw: UInt128(0))  // struct ifinfomsg: the link is told by its name
            message.put(AttributeKey<String>(3), "rival")  // IFLA_IFNAME
            message.put(AttributeKey<UInt32>(13), length)  // IFLA_TXQLEN
        }
        if let error = try socket.send(&batch).values.first { throw LabError("the other user of links was refused: \(error)") }
    }
}
