import CLibMNL
import CLibNFTNL
import Kernel
import Lab
import Netlink
import SystemPackage
import OwnThreads
import Testing

@Suite("A netlink socket", .ownThreads) struct NetlinkSocketTests {
    let lab: Lab
    let namespace: LabNamespace

    init() throws {
        lab = try Lab()
        namespace = try lab.namespace("host")
    }

    private func socket(_ family: NetlinkFamily, groups: [UInt32] = [], space: Int? = nil) throws -> NetlinkSocket {
        try NetlinkSocket(family, in: NetworkNamespace(at: namespace.path), groups: groups, space: space)
    }

    @Test("answers each message of a batch for itself, and does what can be done")
    func answersEach() throws {
        var socket = try socket(.route)
        var batch = Batch()
        for name in ["first", "lo", "second"] { addPair(name, to: &batch) }
        batch.add(MessageType(RTM_GETLINK)) { message in
            message.put(raw: ifinfomsg())
            message.put(AttributeKey<String>(IFLA_IFNAME), "second")
        }
        var answers: [Int: String] = [:]
        let refused = try socket.send(&batch) { index, _, message in
            message.attributes(after: ifinfomsg.self) { if Int($0) == IFLA_IFNAME { answers[index] = $1.text } }
        }
        #expect(refused.keys.sorted() == [1])
        #expect(refused[1]?.errno == .fileExists)
        #expect(refused[1]?.operation == MessageType(RTM_NEWLINK))
        #expect(answers == [3: "second"])
        #expect(try namespace.json("ip", "-j", "link", "show").count == 5)
    }

    @Test("keeps the kernel's own words, and where it found fault")
    func keepsWords() throws {
        var socket = try socket(.route)
        var batch = Batch()
        batch.add(MessageType(RTM_NEWADDR), [.create]) { message in
            message.put(raw: ifaddrmsg(ifa_family: UInt8(AF_INET), ifa_prefixlen: 99, ifa_flags: 0, ifa_scope: 0, ifa_index: 1))
            message.put(AttributeKey<UInt32>(IFA_LOCAL), 0x0100_007f)
        }
        batch.add(MessageType(RTM_NEWLINK), [.create]) { message in
            message.put(raw: ifinfomsg())
            message.put(AttributeKey<String>(IFLA_IFNAME), "a name that is longer than any")
        }
        let refused = try socket.send(&batch)
        #expect(refused[0]?.errno == .invalidArgument)
        #expect(refused[0]?.explanation == "ipv4: Invalid prefix length")
        #expect(refused[0]?.description == "RTM_NEWADDR: Invalid argument (ipv4: Invalid prefix length)")
        #expect(refused[1]?.offset == 32, "the attribute behind two headers of 16 bytes")
    }

    @Test("sends more than fits in one datagram or in one receive buffer, in several", arguments: [nil, 64 << 10])
    func splits(space: Int?) throws {
        var socket = try socket(.route, space: space)
        var batch = Batch()
        let count = 10000
        let header = rtmsg(
            rtm_family: UInt8(AF_INET), rtm_dst_len: 32, rtm_src_len: 0, rtm_tos: 0, rtm_table: UInt8(RT_TABLE_MAIN.rawValue),
            rtm_protocol: 99, rtm_scope: 0, rtm_type: UInt8(RTN_BLACKHOLE), rtm_flags: 0)
        for number in 0..<count {
            batch.add(MessageType(RTM_NEWROUTE), [.create, .exclusive]) { message in
                message.put(raw: header)
                message.put(AttributeKey<NetworkOrder<UInt32>>(RTA_DST), 0x0a00_0000 | UInt32(number % (count - 10)))
            }
        }
        #expect(batch.bytes.count > socket.sendLimit)
        let refused = try socket.send(&batch)
        #expect(refused.keys.sorted() == Array((count - 10)..<count), "the last ten are there already")
        #expect(refused.values.allSatisfy { $0.errno == .fileExists })
        let found = try socket.dump(MessageType(RTM_GETROUTE), { $0.put(raw: rtmsg()) }) { _, message in
            message.structure(at: MessageHeader.size, as: rtmsg.self)?.rtm_protocol == 99 ? 1 : nil
        }
        #expect(found.count == count - 10)
    }

    @Test("says when a message is too long for it, and goes on working")
    func saysTooLong() throws {
        var socket = try socket(.route)
        var batch = Batch()
        let limit = socket.sendLimit
        batch.add(MessageType(RTM_NEWLINK)) { message in
            message.put(raw: ifinfomsg())
            for _ in 0...(limit / 32768) { message.put(AttributeKey<Bytes>(IFLA_IFALIAS), [UInt8](repeating: 65, count: 32768)) }
        }
        #expect(throws: TransportError.tooLong(batch.bytes.count, limit: limit)) { try socket.send(&batch) }
        var next = Batch()
        addPair("after", to: &next)
        #expect(try socket.send(&next).isEmpty)
    }

    @Test("reads a list while it is being changed, and gets it whole", .timeLimit(.minutes(60)))
    func readsWhole() async throws {
        try namespace.run("sh", "-c", "for i in 1 2 3 4 5 6 7 8; do ip link add fixed$i type veth peer name other$i; done")
        async let changes: Void = {
            for round in 0..<10 {
                try namespace.run("ip", "link", "add", "x\(round)", "type", "veth", "peer", "name", "y\(round)")
                try namespace.run("ip", "link", "del", "x\(round)")
            }
        }()
        var socket = try socket(.route)
        for _ in 0..<50 {
            let names = try socket.dump(MessageType(RTM_GETLINK), { $0.put(raw: ifinfomsg()) }) { _, message in
                var name = ""
                message.attributes(after: ifinfomsg.self) { if Int($0) == IFLA_IFNAME { name = $1.text } }
                return name
            }
            #expect(names.count { $0.hasPrefix("fixed") } == 8)
            #expect(Set(names).count == names.count)
        }
        try await changes
    }

    @Test(
        "takes a batch of nftables as a whole: what is wrong in it, and nothing done; or nothing wrong, and all done",
        arguments: [false, true])
    func transacts(isGood: Bool) throws {
        var socket = try socket(.netfilter, space: 1 << 20)
        let sequences = socket.sequences(5)
        let first = sequences.lowerBound
        var writer = MessageWriter()
        func put(_ type: MessageType, _ flags: MessageFlags, _ offset: UInt32, _ family: Int, _ id: UInt16, _ name: String? = nil) {
            writer.message(type, flags, sequence: first + offset) { message in
                message.put(raw: nfgenmsg(nfgen_family: UInt8(family), version: 0, res_id: id))
                if let name { message.put(AttributeKey<String>(NFTA_TABLE_NAME), name) }
            }
        }
        let subsystem = UInt16(NFNL_SUBSYS_NFTABLES).bigEndian
        let new = MessageType(subsystem: NFNL_SUBSYS_NFTABLES, message: NFT_MSG_NEWTABLE.rawValue)
        let delete = MessageType(subsystem: NFNL_SUBSYS_NFTABLES, message: NFT_MSG_DELTABLE.rawValue)
        put(MessageType(Int(NFNL_MSG_BATCH_BEGIN)), [.request], 0, 0, subsystem)
        put(new, [.request, .create, .echo], 1, NFPROTO_INET, 0, "one")
        put(isGood ? new : delete, isGood ? [.request, .create] : [.request], 2, NFPROTO_INET, 0, "two")
        put(new, [.request, .create, .acknowledge], 3, NFPROTO_INET, 0, "three")
        put(MessageType(Int(NFNL_MSG_BATCH_END)), [.request], 4, 0, subsystem)
        var echoes: [UInt32] = []
        let refused = try socket.transact(writer.bytes.span, sequences, end: first + 3) { header, _ in
            echoes.append(header.sequence - first)
        }
        let there = try namespace.run("nft", "list", "tables")
        if isGood {
            #expect(refused == [])
            #expect(Set(echoes) == [1], "the table, and the generation")
            #expect(there == "table inet one\ntable inet two\ntable inet three\n")
        } else {
            #expect(refused.map(\.sequence) == [first + 2])
            #expect(refused.map(\.errno) == [.noSuchFileOrDirectory])
            #expect(echoes == [])
            #expect(there == "")
        }
    }

    @Test("isn't kept waiting by a batch that the kernel won't look at")
    func transactsNothing() throws {
        var socket = try socket(.netfilter)
        socket.patience = .seconds(5)
        let sequences = socket.sequences(2)
        var writer = MessageWriter()
        writer.message(MessageType(Int(NFNL_MSG_BATCH_BEGIN)), [.request], sequence: sequences.lowerBound) { message in
            message.put(raw: nfgenmsg(nfgen_family: 0, version: 0, res_id: UInt16(0xee).bigEndian))
        }
        writer.message(MessageType(Int(NFNL_MSG_BATCH_END)), [.request, .acknowledge], sequence: sequences.upperBound) { message in
            message.put(raw: nfgenmsg(nfgen_family: 0, version: 0, res_id: UInt16(0xee).bigEndian))
        }
        let refused = try socket.transact(writer.bytes.span, sequences, end: sequences.upperBound)
        #expect(refused.map(\.sequence) == [sequences.lowerBound])
    }

    @Test("says that the kernel gave no answer, instead of waiting for good")
    func saysNoAnswer() throws {
        var socket = try socket(.netfilter)
        socket.patience = .milliseconds(50)
        let sequences = socket.sequences(1)
        var writer = MessageWriter()
        // Nothing asks for an answer.
        writer.message(MessageType(Int(NLMSG_NOOP)), [.request], sequence: sequences.lowerBound) { _ in }
        let bytes = writer.bytes
        #expect(throws: TransportError.noAnswer(within: .milliseconds(50))) {
            try socket.transact(bytes.span, sequences, end: sequences.upperBound)
        }
    }

    @Test("hears what its groups are told, and says when it missed something")
    func hears() throws {
        var listener = try socket(.route, groups: [RTNLGRP_LINK.rawValue])
        // The kernel gives no less than some 2 KiB (`SOCK_MIN_RCVBUF`).
        var deaf = try socket(.route, groups: [RTNLGRP_LINK.rawValue], space: 1)
        try namespace.run("ip", "link", "add", "seen", "type", "veth", "peer", "name", "seen2")
        var names: Set<String> = []
        let isHeard = try listener.next(before: .now + .seconds(5)) { _, message in
            message.attributes(after: ifinfomsg.self) { if Int($0) == IFLA_IFNAME { names.insert($1.text) } }
        }
        #expect(isHeard)
        #expect(names.isSubset(of: ["seen", "seen2"]) && !names.isEmpty)
        try namespace.run("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do ip link set seen up; ip link set seen down; done")
        #expect(throws: TransportError.answersLost) { while try deaf.drain({ _, _ in }) {} }
    }

    private func addPair(_ name: String, to batch: inout Batch) {
        batch.add(MessageType(RTM_NEWLINK), [.create, .exclusive]) { message in
            message.put(raw: ifinfomsg())
            message.put(AttributeKey<String>(IFLA_IFNAME), name)
            message.nest(AttributeKey(IFLA_LINKINFO)) { $0.put(AttributeKey<String>(IFLA_INFO_KIND), "veth") }
        }
    }
}
