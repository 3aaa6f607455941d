package import GRPCCore

/// Every service of the push port, which the control socket serves as well. Whoever adds one adds a line here.
package struct PushServices: Sendable {
    private let reconciler: any Reconciling
    private let journal: Journal
    private let settings: Settings
    private let meter: PushMeter
    private let alcor: AlcorDesk

    package init(reconciler: any Reconciling, journal: Journal, settings: Settings, meter: PushMeter, alcor: AlcorDesk) {
        self.reconciler = reconciler
        self.journal = journal
        self.settings = settings
        self.meter = meter
        self.alcor = alcor
    }

    /// - Parameter access: who may do what, at the door where they are served.
    package func callAsFunction(_ access: PushAccess) -> [any RegistrableRPCService] {
        [
            PushService(reconciler: reconciler, journal: journal, access: access, limits: settings.push, meter: meter),
            AlcorService(alcor), HealthService(reconciler: reconciler, journal: journal),
        ]
    }
}
