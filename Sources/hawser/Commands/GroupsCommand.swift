import ArgumentParser
import HawserAPI

struct GroupsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups", abstract: "The security groups that this host knows, or one of them.", aliases: ["group"])

    @Argument(help: "A security group's id.") var id: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        if let id {
            try common.show(await common.debug.group(id), table: Self.details)
        } else {
            try common.show(await common.debug.groups(), table: Self.table)
        }
    }

    static func table(_ groups: [GroupView]) -> String {
        guard !groups.isEmpty else { return "no groups" }
        var table = Table("ID", "NETWORK", "STATUS", "RULES", "MEMBERS", "BOUND BY", "STATE", "REASON")
        for group in groups {
            table.add(
                Styled(group.id), Styled(group.network ?? "any"), Styled(group.status), "\(group.rules.count)", "\(group.members.count)",
                "\(group.boundBy.count)", group.stateful ? "stateful" : "stateless", Styled(group.reason ?? ""))
        }
        return table.rendered()
    }

    static func details(_ group: GroupView) -> String {
        var details = Details()
        details.add("id", Styled(group.id))
        details.add("network", Styled(group.network ?? "any"))
        details.add("status", Styled(group.status))
        details.add("reason", group.reason.map { Styled($0) })
        details.add("state", group.stateful ? "stateful" : "stateless")
        details.add("bound by", group.boundBy.isEmpty ? "no pod of this host" : Styled(group.boundBy.joined(separator: ", ")))
        details.add("revision", "\(group.revision)")
        var parts = [details.rendered()]
        if !group.rules.isEmpty {
            var rules = Table("RULE", "ALLOWS")
            for rule in group.rules { rules.add(Styled(rule.rule), Styled(rule.text)) }
            parts.append(rules.rendered())
        }
        if !group.members.isEmpty {
            var members = Table("MEMBER", "OF")
            for member in group.members { members.add(Styled(member.address), "\(member.kind.rawValue) \(member.id)") }
            parts.append(members.rendered())
        }
        return parts.joined(separator: "\n\n")
    }
}
