import CLibMNL
import HostNetwork
import Netlink
import SystemPackage

/// What is said to the kernel about a rule of its routing (`struct fib_rule_hdr`, linux/fib_rules.h; ip-rule(8)).
extension TableRule {
    func addMessage(to batch: inout Batch, removes: Bool = false) -> Int {
        batch.add(removes ? .deleteTableRule : .newTableRule, removes ? [] : [.create, .exclusive]) { message in
            var header = fib_rule_hdr()
            header.family = UInt8(family.number)
            header.action = UInt8(action.number)
            if case .source(let prefix) = match { header.src_len = UInt8(prefix.length) }
            message.put(raw: header)
            message.put(.tableRulePriority, priority)
            message.put(.tableRuleProtocol, Marks.routeProtocol)
            switch match {
            case .source(let prefix): message.put(.tableRuleSource, prefix.address.bytes)
            case .link(let name, _): message.put(.tableRuleLink, name.value)
            }
            switch action {
            case .look(let table): message.put(.tableRuleTable, table.number)
            case .main: message.put(.tableRuleGoto, Self.ofMain)
            }
        }
    }

    /// Hawser's rules; nothing in a kernel that has none.
    static func all(through socket: inout NetlinkSocket) throws(TransportError) -> [TableRule] {
        var rules: [TableRule] = []
        for family in Family.allCases {
            do throws(TransportError) {
                rules += try socket.dump(
                    .getTableRule,
                    { message in
                        var header = fib_rule_hdr()
                        header.family = UInt8(family.number)
                        message.put(raw: header)
                    }, TableRule.init(header:message:))
            } catch .refused(let error) where error.errno == .addressFamilyNotSupported || error.errno == .notSupported {
                continue
            }
        }
        return rules
    }

    /// Nil for one that isn't Hawser's (`FRA_PROTOCOL`).
    init?(header: MessageHeader, message: RawSpan) {
        guard header.type == .newTableRule || header.type == .deleteTableRule,
            let info = message.structure(at: MessageHeader.size, as: fib_rule_hdr.self),
            let family = Family(number: Int32(info.family))
        else { return nil }
        var (priority, maker, table): (UInt32, UInt8, UInt32) = (0, 0, UInt32(info.table))
        var source = Prefix.everything(family)
        var link: String?
        message.attributes(after: fib_rule_hdr.self) { number, payload in
            switch Int(number) {
            case FRA_PRIORITY: priority = payload.number()
            case FRA_PROTOCOL: maker = payload.number()
            case FRA_TABLE: table = payload.number()
            case FRA_IIFNAME: link = payload.text
            case FRA_SRC:
                source = IPAddress(bytes: payload.array).flatMap { Prefix($0, length: Int(info.src_len)) } ?? source
            default: break
            }
        }
        guard maker == Marks.routeProtocol else { return nil }
        self.init(
            link.map { .link(LinkName(reported: $0), family) } ?? .source(source),
            Int(info.action) == FR_ACT_GOTO ? .main : .look(RouteTable(reported: table)), priority: priority)
    }
}

extension TableRule.Action {
    fileprivate var number: Int {
        switch self {
        case .look: FR_ACT_TO_TBL
        case .main: FR_ACT_GOTO
        }
    }
}
