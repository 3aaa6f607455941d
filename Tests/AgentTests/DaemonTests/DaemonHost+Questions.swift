extension DaemonHost {
    /// Applies YAML through the control socket.
    func apply(_ yaml: String) throws -> Outcome { try hawser("apply", "-f", "-", "--output", "json", input: yaml) }

    func status(of pod: String) throws -> String? {
        try hawser("pods", "--output", "json").list.first { $0["id"] as? String == pod }?["status"] as? String
    }

    func reason(of pod: String) throws -> String {
        try hawser("pods", "--output", "json").list.first { $0["id"] as? String == pod }?["reason"] as? String ?? ""
    }

    func generation() throws -> Int? { try hawser("status", "--output", "json").object["generation"] as? Int }

    /// Applies YAML as the whole of the host.
    func prune(_ yaml: String) throws -> Outcome { try hawser("apply", "-f", "-", "--prune", "--output", "json", input: yaml) }

    func isReady() throws -> Bool { try hawser("status", "--output", "json").object["ready"] as? Bool == true }

    /// Whether the host is ready and every pod of it as it is wanted, also those in whose own namespaces something was refused.
    func isWell() throws -> Bool {
        let status = try hawser("status", "--output", "json").object
        return status["ready"] as? Bool == true && (status["pods"] as? [String: Any])?["failed"] as? Int == 0
    }

    /// How many messages a look at everything sends: none where nothing was left to repair; nil where it can't be looked at.
    func leftToRepair() throws -> Int? {
        let outcome = try hawser("resync", "--output", "json")
        guard outcome.status == 0 else { return nil }
        return (outcome.object["transaction"] as? [String: Any])?["messages"] as? Int
    }
}

extension DaemonHost.Outcome {
    var results: [[String: Any]] { object["results"] as? [[String: Any]] ?? [] }
    var statuses: [String] { results.compactMap { $0["status"] as? String } }
}
