import HawserAPI
import HawserProtocol
import HostNetwork
import SwiftProtobuf

extension Hawser_V1_ApplyReply {
    init(_ report: Report) {
        self = .with {
            $0.results = report.answers.map(Hawser_V1_ResourceResult.init)
            $0.transaction = .with {
                $0.messages = UInt64(clamping: report.messages)
                $0.bytes = UInt64(clamping: report.bytes)
                $0.generation = report.generation
            }
            if let plan = report.plan { $0.plan = .with { $0.operations = plan } }
        }
    }
}

extension Hawser_V1_ResourceResult {
    init(_ answer: Answer) {
        self = .with {
            // A resource whose name couldn't be read is known by its place: "pods[3].id".
            $0.kind = answer.intent?.kind.rawValue ?? answer.field.flatMap(Answer.kind)?.rawValue ?? ""
            $0.id = answer.intent?.id ?? ""
            $0.status = answer.status.rawValue
            $0.reason = answer.reason ?? ""
            $0.field = answer.field ?? ""
            $0.kernelMicroseconds = UInt64(clamping: answer.kernelMicroseconds)
            $0.totalMicroseconds = UInt64(clamping: answer.totalMicroseconds)
        }
    }
}
