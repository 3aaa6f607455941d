package import SystemPackage

/// The kernel refused one message.
package struct KernelError: Error, Hashable, Sendable {
    /// What was asked.
    package var operation: MessageType
    package var errno: Errno
    /// The kernel's own words (`NLMSGERR_ATTR_MSG`, linux/netlink.h), when it gave any.
    package var explanation: String?
    /// Where in the refused message the attribute begins that it didn't like, in bytes (`NLMSGERR_ATTR_OFFS`).
    package var offset: Int?
    /// The attribute that it missed (`NLMSGERR_ATTR_MISS_TYPE`).
    package var missing: Int?
    package var sequence: UInt32

    package init(
        operation: MessageType, errno: Errno, explanation: String? = nil, offset: Int? = nil, missing: Int? = nil, sequence: UInt32 = 0
    ) {
        self.operation = operation
        self.errno = errno
        self.explanation = explanation
        self.offset = offset
        self.missing = missing
        self.sequence = sequence
    }
}

extension KernelError: CustomStringConvertible {
    package var description: String {
        var text = "\(operation): \(errno)"
        if let explanation { text += " (\(explanation))" }
        if let offset { text += ", at byte \(offset)" }
        if let missing { text += ", attribute \(missing) is missing" }
        return text
    }
}

/// Nothing is known about what was asked: it wasn't sent, or the answer was lost.
package enum TransportError: Error, Hashable, Sendable {
    /// A call failed.
    case system(Errno, doing: String)
    /// The kernel didn't answer in time.
    case noAnswer(within: Duration)
    /// The socket's receive buffer overflowed, and answers with it (`ENOBUFS`); what was asked may have been done.
    case answersLost
    /// An answer ended in the middle of a message; what was asked may have been done.
    case answerCut
    /// One message is longer than the socket can send: bytes, and the bytes that it could.
    case tooLong(Int, limit: Int)
    /// A dump was interrupted by changes every time.
    case neverConsistent(attempts: Int)
    /// A list is longer than it was to be.
    case tooMany(Int)
    /// What was only asked for, a list or one object, was refused.
    case refused(KernelError)
}

extension TransportError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let errno, let doing): "\(doing): \(errno)"
        case .noAnswer(let time): "no answer within \(time.components.seconds) s"
        case .answersLost: "answers of the kernel were lost, for the receive buffer was full"
        case .answerCut: "an answer of the kernel ends in the middle of a message"
        case .tooLong(let length, let limit): "a message of \(length) bytes, where the socket sends \(limit) at most"
        case .neverConsistent(let attempts): "what was asked for changed during each of \(attempts) readings"
        case .tooMany(let limit): "more than \(limit) of what was asked for"
        case .refused(let error): "\(error)"
        }
    }

    /// Whether what was asked may have been done nevertheless.
    package var isUncertain: Bool {
        switch self {
        case .system, .noAnswer, .answersLost, .answerCut: true
        case .tooLong, .neverConsistent, .tooMany, .refused: false
        }
    }

    /// The error number that says the most.
    package var errno: Errno {
        switch self {
        case .system(let errno, _): errno
        case .noAnswer: .timedOut
        case .answersLost: .noBufferSpace
        case .answerCut: .badMessage
        case .tooLong: .messageTooLong
        case .neverConsistent: .interrupted
        case .tooMany: .overflow
        case .refused(let error): error.errno
        }
    }
}
