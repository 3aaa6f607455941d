import GRDB
package import HostNetwork

/// Addresses that pods have let go, and whose tracked flows must be deleted before another pod may have them.
extension Store {
    /// In the order of addresses.
    package func purges() throws(StoreError) -> [IPAddress] {
        try read("read the purges") { database in
            try String.fetchAll(database, sql: "SELECT address FROM purges").compactMap { try? IPAddress(parsing: $0) }.sorted()
        }
    }

    /// Their tracked flows are gone.
    package func purged(_ addresses: some Sequence<IPAddress>) throws(StoreError) {
        try write("forget the purges") { database in
            for address in addresses {
                try database.execute(sql: "DELETE FROM purges WHERE address = ?", arguments: [address.description])
            }
        }
    }
}
