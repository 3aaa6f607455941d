import ArgumentParser
import HawserAPI

struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "What a pod may send and receive, and what was counted.", aliases: ["rule"])

    @Argument(help: "A pod's id.") var pod: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try common.show(await common.debug.rules(of: pod), table: Self.table)
    }

    static func table(_ rules: RulesView) -> String {
        var table = Table("DIRECTION", "GROUP", "RULE", "ALLOWS", "PACKETS", "BYTES")
        for (name, direction) in [("ingress", rules.ingress), ("egress", rules.egress)] {
            for rule in direction.rules {
                table.add(Styled(name), Styled(rule.group), Styled(rule.rule), Styled(rule.text), count(rule.packets), count(rule.bytes))
            }
            table.add(
                Styled(name), "", "", Styled("everything else: denied", .red), count(direction.denied.packets),
                count(direction.denied.bytes))
            table.add(
                Styled(name), "", "", Styled("invalid: of no flow that is known"), count(direction.invalid.packets),
                count(direction.invalid.bytes))
        }
        return table.rendered()
    }

    private static func count(_ count: UInt64?) -> Styled { Styled(count.map(String.init) ?? "") }
}
