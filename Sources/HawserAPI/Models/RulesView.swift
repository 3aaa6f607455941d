/// `GET /v1/rules/{pod}`: what a pod's binding lets through, and what it has counted.
package struct RulesView: Codable, Hashable, Sendable {
    package struct Rule: Codable, Hashable, Sendable {
        package var group: String
        package var rule: String
        /// The rule as a sentence.
        package var text: String
        /// Null where the kernel doesn't count for this rule alone.
        @Nullable package var packets: UInt64?
        @Nullable package var bytes: UInt64?

        package init(group: String, rule: String, text: String, packets: UInt64?, bytes: UInt64?) {
            self.group = group
            self.rule = rule
            self.text = text
            self.packets = packets
            self.bytes = bytes
        }
    }

    package struct Count: Codable, Hashable, Sendable {
        /// Null where the kernel doesn't count.
        @Nullable package var packets: UInt64?
        @Nullable package var bytes: UInt64?

        package init(packets: UInt64?, bytes: UInt64?) {
            self.packets = packets
            self.bytes = bytes
        }
    }

    package struct Direction: Codable, Hashable, Sendable {
        package var rules: [Rule]
        /// What no rule allows, and what the pod sent as somebody else.
        package var denied: Count
        /// What connection tracking could place in no flow, and isn't counted as denied.
        package var invalid: Count

        package init(rules: [Rule], denied: Count, invalid: Count) {
            self.rules = rules
            self.denied = denied
            self.invalid = invalid
        }
    }

    package var pod: String
    package var ingress: Direction
    package var egress: Direction

    package init(pod: String, ingress: Direction, egress: Direction) {
        self.pod = pod
        self.ingress = ingress
        self.egress = egress
    }
}
