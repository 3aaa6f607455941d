import ArgumentParser
import HawserAPI

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "What is wrong with this host?",
        discussion:
            "Looks for what Hawser can't prevent: other programs' rules beside which its own don't hold. "
            + "Exit status 1: a fault."
    )

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let doctor = try await common.debug.doctor()
        try common.show(doctor, table: Self.table)
        if doctor.status == .fault { throw Runner.Outcome.refused }
    }

    static func table(_ doctor: DoctorView) -> String {
        var table = Table("STATUS", "CHECK", "FOUND")
        let sound = doctor.checks.count { $0.status == .ok }
        if sound > 0 {
            table.add(Styled("ok", .green), Styled(sound == 1 ? "1 check" : "\(sound) checks"), Styled(""))
        }
        for check in doctor.checks where check.status != .ok {
            for text in check.found { table.add(Styled(check.status), Styled(check.id), Styled(text)) }
            if let remedy = check.remedy { table.add(Styled(""), Styled(""), Styled("→ " + remedy)) }
        }
        return table.rendered()
    }
}

extension Styled {
    fileprivate init(_ status: DoctorView.Status) {
        let color: Color =
            switch status {
            case .ok: .green
            case .warning: .yellow
            case .fault: .red
            }
        self.init(status.rawValue, color)
    }
}
