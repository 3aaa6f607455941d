/// One resource is refused, and nothing else with it.
package struct Rejected: Error, Hashable, Sendable {
    /// Nil where not even the resource's name could be read.
    package var intent: IntentID?
    /// The path of the field inside the resource, as in "rules[2].ports"; from the top of the file where `intent` is nil.
    package var field: String
    /// As it was written, and of a long one the beginning; empty where there was nothing.
    package var value: String
    package var reason: String
    /// What would be valid; empty where the reason says it already.
    package var valid: String
    /// The other resource that the reason names, if it names one.
    package var about: IntentID?

    package init(
        intent: IntentID?, field: String, value: String = "", reason: String, valid: String = "", about: IntentID? = nil
    ) {
        self.intent = intent
        self.field = field
        self.value = value.excerpt
        self.reason = reason
        self.valid = valid
        self.about = about
    }
}

extension Rejected: CustomStringConvertible {
    /// "pod web-0: mtu: 10: below the least (valid: 68 to 65535)".
    package var description: String {
        [intent?.description, field, value, reason].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: ": ")
            + (valid.isEmpty ? "" : " (valid: \(valid))")
    }
}
