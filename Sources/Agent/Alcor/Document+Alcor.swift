import HostNetwork

extension Document {
    /// A text of the wire, where empty is the same as none.
    static func optional(_ text: String) -> Document { text.isEmpty ? .null : .string(text) }

    /// One resource through the validation of files; refusals name the fields as the wire does.
    static func validated(_ kind: Kind, _ fields: [(String, Document)]) throws(Rejected) -> Intent {
        do throws(Rejected) { return try IntentFile.decode(.map(fields), as: kind) } catch { throw error.onAlcorsWire }
    }
}

extension Rejected {
    /// The same, its field named as on Alcor's wire.
    var onAlcorsWire: Rejected {
        var rejected = self
        rejected.field = AlcorField.named(field)
        return rejected
    }

    /// A value that isn't in an intent.
    static func alcor(_ field: String, _ value: some CustomStringConvertible, _ reason: String, valid: String = "") -> Rejected {
        Rejected(intent: nil, field: field, value: "\(value)", reason: reason, valid: valid)
    }
}

/// The names of an intent's fields on Alcor's wire.
enum AlcorField {
    /// "addresses[0]" is "fixed_ips[0].ip_address" there.
    static func named(_ path: String) -> String {
        let parts = path.split(separator: ".", omittingEmptySubsequences: false)
        return parts.enumerated().compactMap { position, part -> String? in
            let name = part.prefix { $0 != "[" }
            let index = part.dropFirst(name.count)
            if name == "cidr", position > 0, parts[position - 1] == "remote" { return "remote_ip_prefix" }
            guard let wire = names[String(name)] else { return String(part) }
            guard !wire.name.isEmpty else { return nil }
            let isLast = position == parts.count - 1
            return wire.name + index + (isLast && !index.isEmpty ? wire.element : "")
        }.joined(separator: ".")
    }

    /// By the intent's name: the wire's, and what is wrong in an element of it when that is all that is known. No name: a level that
    /// the wire doesn't have.
    private static let names: [String: (name: String, element: String)] = [
        "network": ("vpc_id", ""), "namespace": ("device_id", ""), "mac": ("mac_address", ""), "host": ("host_ip_address", ""),
        "addresses": ("fixed_ips", ".ip_address"), "securityGroups": ("security_group_ids", ".id"),
        "allowedAddressPairs": ("allow_address_pairs", ".ip_address"), "address": ("ip_address", ""), "adminUp": ("admin_state_up", ""),
        "rules": ("security_group_rules", ""), "remote": ("", ""), "group": ("remote_group_id", ""), "icmp": ("", ""),
        "type": ("port_range_min", ""), "code": ("port_range_max", ""), "ports": ("port_range_min", ""),
        "revision": ("revision_number", ""),
    ]
}

extension IPAddress {
    /// An address of the wire that is only remembered; nil for an empty text.
    static func alcor(_ text: String, _ field: String) throws(Rejected) -> IPAddress? {
        guard !text.isEmpty else { return nil }
        do throws(InvalidAddress) { return try IPAddress(parsing: text) } catch {
            throw .alcor(field, text, "can't be read", valid: error.valid)
        }
    }
}

extension MAC {
    /// As above, of a MAC address.
    static func alcor(_ text: String, _ field: String) throws(Rejected) -> MAC? {
        guard !text.isEmpty else { return nil }
        do throws(InvalidAddress) { return try MAC(parsing: text) } catch {
            throw .alcor(field, text, "can't be read", valid: error.valid)
        }
    }
}

extension MAC {
    /// One that an interface is to have.
    static func alcor(ofInterface text: String, _ field: String) throws(Rejected) -> MAC? {
        guard let mac = try alcor(text, field) else { return nil }
        guard mac.isUnicast else {
            throw .alcor(field, text, "not the address of one interface", valid: "a unicast MAC address other than zero")
        }
        return mac
    }
}

extension Prefix {
    /// As above, of a prefix.
    static func alcor(_ text: String, _ field: String) throws(Rejected) -> Prefix? {
        guard !text.isEmpty else { return nil }
        do throws(InvalidAddress) { return try Prefix(parsing: text) } catch {
            throw .alcor(field, text, "can't be read", valid: error.valid)
        }
    }
}
