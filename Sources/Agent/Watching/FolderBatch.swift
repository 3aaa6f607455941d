/// What happened in the watched folders since the last batch.
struct FolderBatch: Hashable, Sendable {
    /// A name in a folder, whether or not there is (still) a file of that name.
    struct Entry: Hashable, Sendable {
        var folder: String
        var name: String
    }

    /// Names that came, went or were written.
    var entries: Set<Entry> = []
    /// Those of `entries` that somebody is still writing: they come again when that is done.
    var unfinished: Set<Entry> = []
    /// Folders of which anything may have changed: they came, went, or events were lost.
    var folders: Set<String> = []
    /// The mount table changed.
    var mounts = false

    var isEmpty: Bool { entries.isEmpty && folders.isEmpty && !mounts }
}
