extension Field {
    func text(valid: String) throws(Rejected) -> String {
        switch value {
        case .string(let text): return text
        case .int, .double, .bool: throw rejected("not text: write it in quotes", valid: valid)
        case .null, .list, .map: throw rejected("not text", valid: valid)
        }
    }

    func bool() throws(Rejected) -> Bool {
        guard case .bool(let bool) = value else { throw rejected("neither true nor false", valid: "true or false") }
        return bool
    }

    func integer(in range: ClosedRange<Int>) throws(Rejected) -> Int {
        var valid: String { "\(range.lowerBound) to \(range.upperBound)" }
        guard case .int(let number) = value else { throw rejected("not a whole number", valid: valid) }
        guard range.contains(number) else {
            throw rejected(number < range.lowerBound ? "below \(range.lowerBound)" : "above \(range.upperBound)", valid: valid)
        }
        return number
    }

    /// A number, or a number in text: half of the range doesn't fit in the numbers of every notation.
    func revision() throws(Rejected) -> UInt64 {
        switch value {
        case .int(let number): if let revision = UInt64(exactly: number) { return revision }
        case .string(let text): if let revision = UInt64(strictDecimal: Array(text.utf8)[...]) { return revision }
        default: break
        }
        throw rejected("not a revision", valid: "a whole number from 0 to \(UInt64.max)")
    }

    /// One of a few words, in any case.
    func choice<Value>(_ choices: [(String, Value)]) throws(Rejected) -> Value {
        if case .string(let word) = value, let choice = choices.first(where: { $0.0 == word }) { return choice.1 }
        let valid = choices.map(\.0).joined(separator: " or ")
        let word = try text(valid: valid).lowercased()
        guard let choice = choices.first(where: { $0.0 == word }) else { throw rejected("unknown", valid: valid) }
        return choice.1
    }

    func identifier() throws(Rejected) -> String {
        let text = try text(valid: IDText.valid)
        guard IDText.isValid(text) else { throw rejected("not an id", valid: IDText.valid) }
        return text
    }

    func id<Of>() throws(Rejected) -> ID<Of> { ID(try identifier()) }

    /// An address that some interface can have.
    func address() throws(Rejected) -> IPAddress {
        let address = try parsed { (text) throws(InvalidAddress) in try IPAddress(parsing: text) }
        if let special = address.notAssignable { throw rejected(special, valid: "a unicast address") }
        return address
    }

    func prefix() throws(Rejected) -> Prefix { try parsed { (text) throws(InvalidAddress) in try Prefix(parsing: text) } }

    func mac() throws(Rejected) -> MAC {
        let mac = try parsed { (text) throws(InvalidAddress) in try MAC(parsing: text) }
        guard mac.isUnicast else { throw rejected("not the address of one interface", valid: "a unicast MAC address other than zero") }
        return mac
    }

    private func parsed<Value>(_ parse: (String) throws(InvalidAddress) -> Value) throws(Rejected) -> Value {
        let text = try text(valid: "text")
        do throws(InvalidAddress) { return try parse(text) } catch { throw rejected("can't be read", valid: error.valid) }
    }

    func ports() throws(Rejected) -> PortRange {
        let text: String
        switch value {
        case .int(let number): text = String(number)
        case .string(let written): text = written
        default: throw rejected("not a port or a range of ports", valid: InvalidPorts.valid)
        }
        do throws(InvalidPorts) { return try PortRange(parsing: text) } catch { throw rejected(error.reason, valid: InvalidPorts.valid) }
    }
}
