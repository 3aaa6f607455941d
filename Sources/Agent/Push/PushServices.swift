package import GRPCCore

/// Every service of the push port, which the control socket serves as well. Whoever adds one adds a line here.
package struct PushServices: Sendable {
    private let reconciler: any Reconciling
    private let journal: Journal
    private let settings: Settings
    private let alcor: AlcorDesk

    package init(reconciler: any Reconciling, journal: Journal, settings: Settings, alcor: AlcorDesk) {
        self.reconciler = reconciler
        self.journal = journal
        self.settings = settings
        self.alcor = alcor
    }

    /// - Parameter access: who may do what, at the door where they are served.
    package func callAsFunction(_ access: PushAccess) -> [any RegistrableRPCService] {
        [
            PushService(reconciler: reconciler, journal: journal, access: access, limits: settings.push),
            AlcorService(alcor, access), HealthService(reconciler: reconciler, journal: journal),
        ]
    }
}
