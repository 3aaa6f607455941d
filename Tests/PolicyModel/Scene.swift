package import HostNetwork

/// A host with policy, dense enough that about half of the packets between its pods are allowed.
package struct Scene {
    package var intents = Intents()
    package var attachable: Set<ID<Pod>> = []
    package var layout = Layout()
    package var epochs: [ID<Pod>: Epoch] = [:]

    package init() {}

    package var desired: Desired { Desired(intents: intents, layout: layout, attachable: attachable, epochs: epochs) }
    /// Pods with an interface, in a fixed order.
    package var pods: [Pod] { intents.pods.values.filter { attachable.contains($0.id) && $0.namespace != nil }.sorted { $0.id < $1.id } }
    package func epoch(of pod: ID<Pod>) -> Epoch { epochs[pod] ?? .first }
}
