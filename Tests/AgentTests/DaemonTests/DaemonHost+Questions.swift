extension DaemonHost {
    /// Applies YAML through the control socket.
    func apply(_ yaml: String) throws -> Outcome { try hawser("apply", "-f", "-", "--output", "json", input: yaml) }

    func status(of pod: String) throws -> String? {
        try hawser("pods", "--output", "json").list.first { $0["id"] as? String == pod }?["status"] as? String
    }

    func generation() throws -> Int? { try hawser("status", "--output", "json").object["generation"] as? Int }
}
