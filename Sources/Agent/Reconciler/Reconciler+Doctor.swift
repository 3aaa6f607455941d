package import HawserAPI
import HostNetwork
import Kernel

extension Reconciler {
    /// Looks for what other programs do on this host beside which Hawser's promises don't hold. Nothing of it
    /// is done but for this.
    package func examine() async -> DoctorView {
        let (host, layout, domains) = (host, layout, map.there.sorted())
        let pods = intents.networks.values.flatMap(\.subnets).map(\.cidr)
        let checks = await doctor.examine {
            var budget = ReadingBudget()
            let neighborhood = domains.map { domain in
                (domain, host.strangers(in: domain, changing: layout.marks.mask, &budget))
            }
            return [
                .marks(neighborhood, layout.marks), .flowtables(neighborhood),
                .ipvs(neighborhood, layout.host.toPods, pods: pods),
            ]
        }
        return DoctorView(checks)
    }
}

extension DoctorView {
    init(_ checks: [HostNetwork.Check]) {
        self.init(
            status: Status(checks.map(\.status).max() ?? .ok),
            checks: checks.map {
                Check(id: $0.id, status: Status($0.status), found: $0.found, remedy: $0.remedy)
            })
    }
}

extension DoctorView.Status {
    fileprivate init(_ status: HostNetwork.Check.Status) {
        self =
            switch status {
            case .ok: .ok
            case .warning: .warning
            case .fault: .fault
            }
    }
}
