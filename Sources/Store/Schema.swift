import GRDB

/// The tables, version by version. A version that was released is never changed: the next one alters it.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE intents (
                        kind TEXT NOT NULL,
                        id TEXT NOT NULL,
                        revision INTEGER NOT NULL,
                        document TEXT NOT NULL,
                        source TEXT NOT NULL,
                        accepted TEXT NOT NULL,
                        leaving INTEGER NOT NULL DEFAULT 0,
                        PRIMARY KEY (kind, id)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX intents_by_source ON intents (source);
                    CREATE TABLE purges (
                        address TEXT NOT NULL PRIMARY KEY,
                        since TEXT NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE files (
                        path TEXT NOT NULL PRIMARY KEY,
                        digest TEXT NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("alcor") { database in
            try database.execute(
                sql: """
                    CREATE TABLE alcor (
                        type INTEGER NOT NULL,
                        id TEXT NOT NULL,
                        revision INTEGER NOT NULL,
                        content BLOB NOT NULL,
                        PRIMARY KEY (type, id)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("2") { database in
            try database.execute(
                sql: """
                    CREATE TABLE attachments (
                        pod TEXT NOT NULL PRIMARY KEY,
                        namespace TEXT NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        // Isolated networks may have the same addresses.
        migrator.registerMigration("3") { database in
            try database.execute(
                sql: """
                    CREATE TABLE released (
                        address TEXT NOT NULL,
                        network TEXT NOT NULL,
                        since TEXT NOT NULL,
                        PRIMARY KEY (address, network)
                    ) STRICT, WITHOUT ROWID;
                    INSERT INTO released SELECT address, '', since FROM purges;
                    DROP TABLE purges;
                    ALTER TABLE released RENAME TO purges;
                    """)
        }
        // Only files are asked by what they have said; an index of everything costs a push of many neighbors a third of its commit.
        migrator.registerMigration("index of files") { database in
            try database.execute(
                sql: """
                    DROP INDEX intents_by_source;
                    CREATE INDEX intents_by_file ON intents (source) WHERE source >= 'file:' AND source < 'file;';
                    """)
        }
        // A database without intents may be the second of a host: the first was lost. It begins with a note of that.
        migrator.registerMigration("4") { database in
            try database.execute(
                sql: """
                    CREATE TABLE lost (
                        since TEXT NOT NULL,
                        path TEXT NOT NULL
                    ) STRICT;
                    INSERT INTO lost
                        SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), '' WHERE NOT EXISTS (SELECT 1 FROM intents);
                    """)
        }
        return migrator
    }
}
