import CLibNFTNL
import HostNetwork

/// What a rule does, as libnftnl prints it, without what counters count: a rule that the kernel lists is told by it from others.
enum Fingerprint {
    static func of(_ statements: Statements, in chain: Named) -> String {
        if case .foreign(let text)? = statements.first { return text }
        let rule = NftnlRule()
        rule.place(statements, in: chain, comment: nil)
        return unsafe of(rule.pointer)
    }

    static func of(_ rule: OpaquePointer) -> String {
        guard let iterator = unsafe nftnl_expr_iter_create(rule) else { return "" }
        defer { unsafe nftnl_expr_iter_destroy(iterator) }
        var text = ""
        while let expression = unsafe nftnl_expr_iter_next(iterator) {
            guard let name = unsafe nftnl_expr_get_str(expression, UInt16(NFTNL_EXPR_NAME)) else { continue }
            let kind = unsafe String(cString: name)
            text += kind
            if kind != "counter" { text += unsafe printed(expression) }
            text += "; "
        }
        return text
    }

    private static func printed(_ expression: OpaquePointer) -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            let length = unsafe nftnl_expr_snprintf(base, buffer.count, expression, UInt32(NFTNL_OUTPUT_DEFAULT.rawValue), 0)
            guard length > 0 else { return "" }
            return unsafe String(cString: base)
        }
    }
}
