import SystemPackage

/// What the kernel can do to one request over netlink, or seem to.
enum Fault: Hashable, Sendable, CustomStringConvertible {
    /// The send fails; nothing was asked.
    case send(Errno)
    /// One message of the request is refused: of a batch nothing is in force then, of other requests the rest is.
    case refusal(Errno)
    /// Nothing is done, and no answer comes.
    case silence
    /// It is done, and no answer comes.
    case secrecy
    /// It is done, and the answers come with those to the next request.
    case delay
    /// It is done, and the answers are lost, for the socket had no room (`ENOBUFS`).
    case loss
    /// It is done, and of the first answer the second half is missing.
    case cut
    /// What was listed changed meanwhile (`NLM_F_DUMP_INTR`): the first answer says so.
    case change
    /// A signal came while it was being sent, and while the answer was being received.
    case signal

    static let all: [Fault] =
        [.noBufferSpace, .messageTooLong, .noMemory, .notPermitted].map { .send($0) }
        + [.resourceBusy, .fileExists, .noSpace, .noMemory, .notPermitted, .noBufferSpace].map { .refusal($0) }
        + [.silence, .secrecy, .delay, .loss, .cut, .change, .signal]

    var description: String {
        switch self {
        case .send(let errno): "the send fails: \(errno)"
        case .refusal(let errno): "a message is refused: \(errno)"
        case .silence: "not done, and no answer"
        case .secrecy: "done, and no answer"
        case .delay: "done, and the answers come late"
        case .loss: "done, and the answers are lost"
        case .cut: "done, and an answer is cut"
        case .change: "a list changed while it was read"
        case .signal: "signals in between"
        }
    }
}
