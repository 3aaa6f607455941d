import HawserProtocol
import HostNetwork
import SwiftProtobuf

extension Hawser_V1_PushRequest {
    static func upserts(_ pods: [Pod], id: String = "") -> Self {
        .with {
            $0.id = id
            $0.delta.upserts.pods = pods.map(Hawser_V1_Pod.init)
        }
    }

    static func deletion(of pod: Pod) -> Self {
        .with {
            $0.delta.deletions = [
                .with {
                    $0.kind = .pod
                    $0.id = pod.id.value
                }
            ]
        }
    }
}

extension Hawser_V1_Pod {
    fileprivate init(_ pod: Pod) {
        self = .with {
            $0.id = pod.id.value
            $0.network = pod.network.value
            if let namespace = pod.namespace { $0.namespace = namespace }
            $0.addresses = pod.addresses.map(\.description)
            $0.securityGroups = pod.securityGroups.map(\.value)
        }
    }
}
