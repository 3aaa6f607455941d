import HostNetwork
import PolicyModel

extension LabHost {
    /// What the intents say, with no trust in any stamp.
    var oracle: Oracle {
        var scene = Scene()
        scene.intents = desired.intents
        scene.attachable = Set(desired.intents.pods.keys)
        scene.layout = desired.layout
        return Oracle(scene)
    }
}
