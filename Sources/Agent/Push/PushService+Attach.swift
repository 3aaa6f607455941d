package import GRPCCore
package import HawserProtocol
import HawserAPI
import HostNetwork
import SwiftProtobuf

/// The container runtime's part: a pod's network namespace is handed over, and its interface is asked for.
extension PushService {
    package func attach(request: Hawser_V1_AttachRequest, context: ServerContext) async throws -> Hawser_V1_AttachReply {
        let client = try pusher(context)
        let pod = try podID(request.pod)
        guard request.namespace.hasPrefix("/"), !request.namespace.hasSuffix("/"), request.namespace.utf8.count < 4096,
            !request.namespace.utf8.contains(0)
        else {
            throw RPCError(
                code: .invalidArgument,
                message:
                    "namespace: \"\(request.namespace.excerpt)\" isn't the absolute path of a network namespace, such as /run/netns/web-0")
        }
        // Before the change, so that nothing is missed in between.
        let follower = journal.follow()
        defer { follower.hangUp() }
        var answer = await place(pod, at: request.namespace, client)
        if answer.status == .pending || answer.status == .failed, request.waitMilliseconds > 0 {
            answer = await settled(pod, after: answer, follower, for: .milliseconds(Int(request.waitMilliseconds)))
        }
        return await reply(pod, answer, client)
    }

    package func detach(request: Hawser_V1_DetachRequest, context: ServerContext) async throws -> Hawser_V1_AttachReply {
        let client = try pusher(context)
        let pod = try podID(request.pod)
        var answer = await place(pod, at: nil, client)
        // A pod that waits for another attachment is what was asked for.
        if answer.status == .pending { answer = Answer(intent: pod.intent, status: .applied) }
        return await reply(pod, answer, client)
    }

    package func check(request: Hawser_V1_CheckRequest, context: ServerContext) async throws -> Hawser_V1_AttachReply {
        let client = try access.client(of: context)
        let pod = try podID(request.pod)
        guard let answer = await reconciler.standings(of: [pod.intent])[pod.intent] else {
            throw RPCError(code: .notFound, message: "there is no pod \(pod)")
        }
        return await reply(pod, answer, client)
    }

    private func pusher(_ context: ServerContext) throws -> PushClient {
        let client = try access.client(of: context)
        guard client.rights.mayPush else { throw access.refuse(client, "attach pods") }
        return client
    }

    private func podID(_ text: String) throws -> ID<Pod> {
        guard IDText.isValid(text) else {
            throw RPCError(code: .invalidArgument, message: "pod: \"\(text.excerpt)\" isn't an id (valid: \(IDText.valid))")
        }
        return ID(text)
    }

    private func place(_ pod: ID<Pod>, at namespace: String?, _ client: PushClient) async -> Answer {
        let change = Change(scope: client.rights.scope, attachments: [pod: namespace])
        let report = await reconciler.reconcile(change, source: client.source, dryRun: false)
        return report.answers.first { $0.intent == pod.intent } ?? Answer(intent: pod.intent, status: .failed, reason: "no answer")
    }

    /// How the pod stands when it is attached, or can't be, or the time is over.
    private func settled(_ pod: ID<Pod>, after first: Answer, _ follower: Follower, for time: Duration) async -> Answer {
        await withTaskGroup(of: Answer?.self) { group in
            group.addTask {
                var last = first
                for await event in follower.stream where event.kind == Kind.pod.rawValue && event.id == pod.value {
                    last = await reconciler.standings(of: [pod.intent])[pod.intent] ?? first
                    if last.status != .pending, last.status != .failed { return last }
                }
                return last
            }
            group.addTask {
                try? await ContinuousClock().sleep(for: time)
                return nil
            }
            let answer = await group.next() ?? nil
            group.cancelAll()
            if let answer, answer.status != first.status { return answer }
            return await reconciler.standings(of: [pod.intent])[pod.intent] ?? first
        }
    }

    private func reply(_ id: ID<Pod>, _ answer: Answer, _ client: PushClient) async -> Hawser_V1_AttachReply {
        let known = await reconciler.pod(id)
        return .with {
            $0.answer = Hawser_V1_Answer(answer, .zero)
            // A refusal, too, says nothing of a pod that isn't the client's to know of.
            if let known, client.rights.view?.shows(.pod(known.pod)) ?? true {
                $0.interface = Hawser_V1_Interface(known.pod, known.subnets)
            }
        }
    }
}

extension Hawser_V1_Interface {
    fileprivate init(_ pod: Pod, _ subnets: [Subnet]) {
        self = .with {
            $0.host = LinkName(of: pod.id).value
            $0.pod = pod.interface
            $0.namespace = pod.namespace ?? ""
            $0.mac = pod.mac.description
            $0.mtu = UInt32(clamping: pod.mtu ?? 1500)
            $0.addresses = pod.addresses.map { address in
                let subnet = subnets.first { $0.cidr.contains(address) }
                return .with {
                    $0.address = "\(address)/\(subnet?.cidr.length ?? address.bits)"
                    $0.gateway = subnet?.gateway?.description ?? ""
                }
            }
        }
    }
}
