import Foundation
import GRDB
package import HostNetwork

/// An address that a pod has let go, and whose tracked flows must be deleted before another pod may have it.
package struct Released: Hashable, Sendable {
    /// Of several isolated networks each has its own flows.
    package var network: ID<Network>
    package var address: IPAddress

    package init(_ address: IPAddress, of network: ID<Network>) {
        self.network = network
        self.address = address
    }
}

extension Store {
    /// In the order of addresses, then of networks.
    package func purges() throws(StoreError) -> [Released] {
        try read("read the purges") { database in
            try Row.fetchAll(database, sql: "SELECT address, network FROM purges").compactMap { row -> Released? in
                guard let address = try? IPAddress(parsing: row["address"] as String) else { return nil }
                return Released(address, of: ID(row["network"]))
            }.sorted { ($0.address, $0.network) < ($1.address, $1.network) }
        }
    }

    /// Their tracked flows are gone.
    package func purged(_ released: some Sequence<Released>) throws(StoreError) {
        try write("forget the purges") { database in
            let delete = try database.cachedStatement(sql: "DELETE FROM purges WHERE address = ? AND network = ?")
            for one in released { try delete.execute(arguments: [one.address.description, one.network.value]) }
        }
    }

    func remember(_ released: [Released], at time: String, in database: Database) throws {
        let insert = try database.cachedStatement(sql: "INSERT OR IGNORE INTO purges (address, network, since) VALUES (?, ?, ?)")
        for one in released { try insert.execute(arguments: [one.address.description, one.network.value, time]) }
    }
}
