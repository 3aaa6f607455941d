import Foundation

/// A folder of the test's own, gone with the value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        // Short: a Unix socket's path has at most 107 bytes (unix(7)).
        path = "/tmp/hwt-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: file(name)))
        return file(name)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }
}
