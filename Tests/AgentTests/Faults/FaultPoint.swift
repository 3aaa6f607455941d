import CLinux
import Foundation
import Glibc
import Lab
import Synchronization
import SystemPackage
import Testing

/// Stands between a program and netlink, and lets one request of its choice fail in one way.
final class FaultPoint: Sendable {
    private struct State {
        var isArmed = false
        /// Whether only transactions of the ruleset count.
        var isForBatches = false
        /// The number of the request that fails, from 1 on, and of how many after it that fail, too.
        var point: Range<Int>?
        var fault = Fault.signal
        var requests: [[NetlinkRequest]] = []
        /// What has still to happen to sockets, by their names.
        var sockets: [String: Socket] = [:]
    }

    private struct Socket {
        var fault: Fault
        /// Fabricated answers, a datagram each.
        var answers: [[UInt8]] = []
        /// The refused message, and what it was turned into.
        var victim: NetlinkRequest?
        var isSpent = false
    }

    private let state = Mutex(State())

    static let calls = ["sendto", "recvfrom", "poll", "ppoll"]

    /// Counts anew; request number `point` fails so, and as many as `count` from there on.
    ///
    /// - Parameter batches: of the transactions of the ruleset alone; everything else goes on as ever.
    func arm(at point: Int?, _ fault: Fault = .signal, count: Int = 1, batches: Bool = false) {
        state.withLock { $0 = State(isArmed: true, isForBatches: batches, point: point.map { $0..<($0 + count) }, fault: fault) }
    }

    /// The requests since it was armed.
    @discardableResult
    func disarm() -> [[NetlinkRequest]] {
        state.withLock { state in
            state.isArmed = false
            return state.requests
        }
    }

    var requests: [[NetlinkRequest]] { state.withLock { $0.requests } }

    @Sendable func judge(_ call: SystemCall) -> SystemCall.Ruling {
        switch call.name {
        case "sendto": call.isNetlink ? send(call) : .proceed
        case "recvfrom": receive(call)
        default: poll(call)
        }
    }

    // MARK: Requests

    private func send(_ call: SystemCall) -> SystemCall.Ruling {
        let bytes = call.bytes(at: call.arguments[1], count: Int(call.arguments[2]))
        let name = call.target
        return state.withLock { state in
            state.sockets[name] = nil
            guard state.isArmed else { return .proceed }
            let messages = NetlinkRequest.all(in: bytes)
            if messages.isEmpty { Issue.record("a request can't be read, so nothing can be made to fail in it") }
            guard !state.isForBatches || messages.contains(where: \.isMargin) else { return .proceed }
            state.requests.append(messages)
            guard let point = state.point, point.contains(state.requests.count) else { return .proceed }
            let fault = state.fault
            if case .send(let errno) = fault { return .fail(errno) }
            if fault == .signal {
                // Sent again, it isn't counted again.
                state.requests.removeLast()
                state.point = state.point.map { $0.dropFirst().isEmpty ? 0..<0 : ($0.lowerBound + 1)..<$0.upperBound }
                state.sockets[name] = Socket(fault: fault)
                return .fail(.interrupted)
            }
            var socket = Socket(fault: fault)
            defer { state.sockets[name] = socket }
            if case .refusal(let errno) = fault { return refuse(messages, errno, &socket, call) }
            return fault == .silence ? .answer(bytes.count) : .proceed
        }
    }

    /// A batch isn't sent at all, for the kernel would undo all of it; of others one message is turned into one that does nothing.
    private func refuse(_ messages: [NetlinkRequest], _ errno: Errno, _ socket: inout Socket, _ call: SystemCall) -> SystemCall.Ruling {
        let candidates = messages.indices.filter { !messages[$0].isMargin }
        guard !candidates.isEmpty else { return .proceed }
        let victim = candidates[candidates.count / 2]
        if messages.contains(where: \.isMargin) || messages[victim].isDump {
            let answered = messages.indices.filter { $0 == victim || messages[$0].flags & 0x4 != 0 && !messages[$0].isDump }
            socket.answers = answered.map { Self.answer(to: messages[$0], $0 == victim ? errno : nil) }
            return .answer(Int(call.arguments[2]))
        }
        socket.victim = messages[victim]
        let offset = messages[..<victim].reduce(0) { $0 + ($1.bytes.count + 3) & ~3 }
        // NLMSG_NOOP: acknowledged, and nothing else (`netlink_rcv_skb`).
        call.put([1, 0], at: call.arguments[1] + UInt64(offset) + 4)
        return .proceed
    }

    /// `NLMSG_ERROR` with the header of what it answers, and the kernel's words.
    private static func answer(to request: NetlinkRequest, _ errno: Errno?) -> [UInt8] {
        var body = Int32(-(errno?.rawValue ?? 0)).littleBytes + request.bytes.prefix(16)
        var flags: UInt16 = 0x100  // NLM_F_CAPPED
        if errno != nil {
            flags |= 0x200  // NLM_F_ACK_TLVS
            let words = Array("injected".utf8) + [0]
            // NLMSGERR_ATTR_MSG
            body +=
                UInt16(4 + words.count).littleBytes + UInt16(1).littleBytes + words
                + [UInt8](repeating: 0, count: (4 - words.count % 4) % 4)
        }
        return UInt32(16 + body.count).littleBytes + UInt16(2).littleBytes + flags.littleBytes + request.sequence.littleBytes
            + request.port.littleBytes + body
    }

    // MARK: Answers

    private func receive(_ call: SystemCall) -> SystemCall.Ruling {
        let name = call.target
        return state.withLock { state in
            guard var socket = state.sockets[name], !socket.isSpent else { return .proceed }
            defer { state.sockets[name] = socket }
            switch socket.fault {
            case .send: return .proceed
            case .signal:
                socket.isSpent = true
                return .fail(.interrupted)
            case .silence, .delay: return .fail(.resourceTemporarilyUnavailable)
            case .secrecy:
                while Datagram(for: call) != nil {}
                return .fail(.resourceTemporarilyUnavailable)
            case .loss:
                while Datagram(for: call) != nil {}
                socket.isSpent = true
                return .fail(.noBufferSpace)
            case .cut:
                guard var datagram = Datagram(for: call) else { return .proceed }
                socket.isSpent = true
                datagram.bytes.removeLast(datagram.bytes.count / 2)
                return datagram.hand(to: call)
            case .change:
                guard var datagram = Datagram(for: call) else { return .proceed }
                socket.isSpent = true
                datagram.bytes[6] |= 0x10
                return datagram.hand(to: call)
            case .refusal(let errno):
                if !socket.answers.isEmpty { return Datagram(bytes: socket.answers.removeFirst()).hand(to: call) }
                guard let victim = socket.victim, var datagram = Datagram(for: call) else { return .proceed }
                if datagram.replace(answerTo: victim, by: Self.answer(to: victim, errno)) { socket.isSpent = true }
                return datagram.hand(to: call)
            }
        }
    }

    /// Time passes at once for who waits for what won't come.
    private func poll(_ call: SystemCall) -> SystemCall.Ruling {
        guard call.arguments[1] == 1 else { return .proceed }
        let entry = call.bytes(at: call.arguments[0], count: 4)
        guard entry.count == 4 else { return .proceed }
        let name = call.target(of: entry.reversed().reduce(0) { $0 << 8 | Int32($1) })
        return state.withLock { state in
            guard let socket = state.sockets[name] else { return .proceed }
            if socket.fault == .cut, socket.isSpent { return .answer(0) }
            if case .refusal = socket.fault, socket.victim == nil, socket.answers.isEmpty { return .answer(0) }
            return [.silence, .secrecy, .delay].contains(socket.fault) ? .answer(0) : .proceed
        }
    }
}

/// One datagram of the kernel's, received in the program's place.
private struct Datagram {
    var bytes: [UInt8]
    /// The sender: the kernel.
    private var sender: [UInt8] = [UInt8(AF_NETLINK), 0] + [UInt8](repeating: 0, count: 10)

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Nil when there is none.
    init?(for call: SystemCall) {
        guard let file = call.borrow() else { return nil }
        defer { try? file.close() }
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(file.rawValue, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
        guard count > 0 else { return nil }
        bytes = Array(buffer.prefix(count))
    }

    func hand(to call: SystemCall) -> SystemCall.Ruling {
        call.put(Array(bytes.prefix(Int(call.arguments[2]))), at: call.arguments[1])
        if call.arguments[4] != 0 { call.put(sender, at: call.arguments[4]) }
        if call.arguments[5] != 0 { call.put(UInt32(sender.count).littleBytes, at: call.arguments[5]) }
        return .answer(bytes.count)
    }

    /// Whether the answer was in it.
    mutating func replace(answerTo request: NetlinkRequest, by answer: [UInt8]) -> Bool {
        var result: [UInt8] = []
        var found = false
        for message in NetlinkRequest.all(in: bytes) {
            let isIt = message.sequence == request.sequence && message.type == 2
            found = found || isIt
            let bytes = isIt ? answer : message.bytes
            result += bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
        }
        bytes = result
        return found
    }
}

extension FixedWidthInteger {
    fileprivate var littleBytes: [UInt8] { (0..<(Self.bitWidth / 8)).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) } }
}
