extension Settings.Push {
    /// What of the settings can't be meant together.
    var contradiction: SettingsError? {
        func error(_ key: String, _ value: String, _ reason: String, valid: String) -> SettingsError {
            SettingsError(key: key, value: value, source: "the settings", reason: reason, valid: valid)
        }
        let files = [("push.certificate", certificate), ("push.key", key), ("push.clientCA", clientCA)]
        let missing = files.filter { $0.1.isEmpty }.map(\.0)
        if plaintext {
            // Names are what certificates prove.
            guard missing.count == 3, clients.isEmpty else {
                return error(
                    "push.plaintext", "true", "without TLS there are no certificates, and nobody has a name",
                    valid: "false, or none of push.certificate, push.key, push.clientCA and push.clients")
            }
            return nil
        }
        guard missing.isEmpty || missing.count == 3 else {
            return error(missing[0], "", "left out", valid: "push.certificate, push.key and push.clientCA together")
        }
        guard clients.isEmpty || missing.isEmpty else {
            return error(
                "push.clients", clients.joined(separator: ","), "nobody can prove a name",
                valid: "with push.certificate, push.key and push.clientCA")
        }
        return nil
    }
}
