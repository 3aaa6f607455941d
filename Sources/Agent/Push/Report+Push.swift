import HawserAPI
import HawserProtocol
import HostNetwork
import SwiftProtobuf

extension Hawser_V1_PushReply {
    /// The answer to a push. `time`: from its arrival.
    init(id: String, _ report: Report, _ time: Duration = .zero) {
        self = .with {
            $0.id = id
            $0.answers = report.answers.map { Hawser_V1_Answer($0, time) }
            $0.transaction = .with {
                $0.messages = UInt64(clamping: report.messages)
                $0.bytes = UInt64(clamping: report.bytes)
                $0.generation = report.generation
            }
            if let plan = report.plan { $0.plan = .with { $0.operations = plan } }
        }
    }

    /// A later word on a push.
    init(id: String, later answers: [Answer]) {
        self = .with {
            $0.id = id
            $0.answers = answers.map { Hawser_V1_Answer($0, .zero) }
            $0.later = true
        }
    }
}

extension Hawser_V1_Answer {
    init(_ answer: Answer, _ time: Duration) {
        let kind = answer.intent?.kind ?? answer.field.flatMap(Answer.kind)
        self = .with {
            $0.kind = kind.map(Hawser_V1_Kind.init) ?? .unspecified
            $0.id = answer.intent?.id ?? ""
            $0.status = Hawser_V1_ResourceStatus(answer.status)
            $0.reason = answer.reason ?? ""
            $0.field = answer.field ?? ""
            $0.valid = answer.valid ?? ""
            $0.errno = answer.errno ?? 0
            $0.kernelMessage = answer.explanation ?? ""
            $0.kernelMicroseconds = UInt64(clamping: answer.kernelMicroseconds)
            $0.totalMicroseconds = UInt64(clamping: max(time.microseconds, answer.totalMicroseconds))
        }
    }
}

extension Hawser_V1_ResourceStatus {
    init(_ status: Status) {
        switch status {
        case .applied: self = .applied
        case .pending: self = .pending
        case .deferred: self = .deferred
        case .rejected: self = .rejected
        case .failed: self = .failed
        case .stale: self = .stale
        }
    }
}
