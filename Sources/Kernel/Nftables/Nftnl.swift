import CLibNFTNL

/// Owners of libnftnl's objects. Each is freed once; an object that is given away is freed by its new owner.

/// `struct nftnl_rule` (libnftnl/rule.h).
@safe struct NftnlRule: ~Copyable {
    let pointer: OpaquePointer

    init() {
        // libnftnl allocates nothing but memory here; without memory there is no going on (Swift's own rule).
        guard let pointer = unsafe nftnl_rule_alloc() else { fatalError("nftnl_rule_alloc: out of memory") }
        unsafe self.pointer = pointer
    }

    deinit { unsafe nftnl_rule_free(pointer) }

    /// Appends an expression, which the rule then owns.
    func add(_ name: String, _ configure: (OpaquePointer) -> Void) {
        guard let expression = unsafe nftnl_expr_alloc(name) else { fatalError("libnftnl doesn't know the expression \(name)") }
        unsafe configure(expression)
        unsafe nftnl_rule_add_expr(pointer, expression)
    }
}

/// `struct nftnl_set` (libnftnl/set.h).
@safe struct NftnlSet: ~Copyable {
    let pointer: OpaquePointer

    init() {
        guard let pointer = unsafe nftnl_set_alloc() else { fatalError("nftnl_set_alloc: out of memory") }
        unsafe self.pointer = pointer
    }

    deinit { unsafe nftnl_set_free(pointer) }
}

/// `struct nftnl_chain` (libnftnl/chain.h).
@safe struct NftnlChain: ~Copyable {
    let pointer: OpaquePointer

    init() {
        guard let pointer = unsafe nftnl_chain_alloc() else { fatalError("nftnl_chain_alloc: out of memory") }
        unsafe self.pointer = pointer
    }

    deinit { unsafe nftnl_chain_free(pointer) }
}

/// Notes that `nft` reads beside an object: a list of type, length, value, a byte each for the first two (libnftnl/udata.h).
struct UserData {
    private(set) var bytes: [UInt8] = []

    /// `text`, ended by a NUL; 127 bytes of it at most (`NFTNL_UDATA_COMMENT_MAXLEN`).
    mutating func put(_ type: UInt32, _ text: String) {
        let text = text.utf8.prefix(127)
        bytes.append(UInt8(truncatingIfNeeded: type))
        bytes.append(UInt8(text.count + 1))
        bytes.append(contentsOf: text)
        bytes.append(0)
    }

    mutating func put(_ type: UInt32, _ number: UInt32) {
        bytes.append(UInt8(truncatingIfNeeded: type))
        bytes.append(4)
        unsafe withUnsafeBytes(of: number) { unsafe bytes.append(contentsOf: $0) }
    }

    /// The text of a type, as somebody put it.
    static func text(_ type: UInt32, in bytes: [UInt8]) -> String? {
        var rest = bytes[...]
        while let kind = rest.popFirst(), let length = rest.popFirst(), rest.count >= Int(length) {
            let value = rest.prefix(Int(length))
            rest = rest.dropFirst(Int(length))
            if UInt32(kind) == type { return String(decoding: value.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return nil
    }
}
