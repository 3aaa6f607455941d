/// A named list of prefixes for rules to refer to.
package struct AddressGroup: Hashable, Sendable {
    package var id: ID<AddressGroup>
    /// Sorted, each once; they may overlap.
    package var cidrs: [Prefix]
    package var revision: UInt64

    package init(id: ID<AddressGroup>, cidrs: some Sequence<Prefix> = [], revision: UInt64 = 0) {
        self.id = id
        self.cidrs = Set(cidrs).sorted()
        self.revision = revision
    }
}
