import CLinux
import Foundation
import SystemPackage

/// One network namespace of a lab.
package final class LabNamespace: Sendable {
    package let path: String
    private let descriptor: FileDescriptor

    /// Makes a namespace and binds it to a file.
    init(making name: String) throws {
        path = "\(Lab.directory)/\(name)"
        guard FileManager.default.createFile(atPath: path, contents: nil) else { throw LabError("\(path) can't be made") }
        let origin = try Self.open("/proc/thread-self/ns/net")
        defer { try? origin.close() }
        guard unshare(Int32(HAWSER_CLONE_NEWNET)) == 0 else { throw .current("unshare") as LabError }
        defer { Self.enter(origin) }
        guard unsafe mount("/proc/thread-self/ns/net", path, nil, UInt(MS_BIND), nil) == 0 else { throw .current("mount") as LabError }
        descriptor = try Self.open(path)
    }

    /// Opens one that somebody else made; it ends with its maker's.
    init(opening path: String) throws {
        self.path = path
        descriptor = try Self.open(path)
    }

    deinit { try? descriptor.close() }

    /// Takes away its name; it ends with its last process, socket and open file.
    package func remove() {
        _ = unsafe umount2(path, Int32(MNT_DETACH))
        _ = unsafe unlink(path)
    }

    /// Runs `body` on the calling thread inside the namespace: to open sockets there, and to start programs.
    package func inside<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
        let origin = try Self.open("/proc/thread-self/ns/net")
        defer { try? origin.close() }
        guard setns(descriptor.rawValue, Int32(HAWSER_CLONE_NEWNET)) == 0 else { throw .current("setns into \(path)") as LabError }
        defer { Self.enter(origin) }
        return try body()
    }

    /// Runs a program inside, and answers what it wrote; throws what it complained of when it fails.
    @discardableResult
    package func run(_ command: String...) throws -> String { try run(command) }

    @discardableResult
    package func run(_ command: [String], input: String = "") throws -> String {
        let outcome = try Command(words: command, input: input).run { start in try inside(start) }
        guard outcome.status == 0 else {
            throw LabError("\(command.joined(separator: " ")) ended with \(outcome.status): \(outcome.complaints)")
        }
        return outcome.output
    }

    /// Runs a program inside that answers in JSON, as `ip -j` does.
    package func json(_ command: String...) throws -> [[String: Any]] {
        let text = try run(command)
        // `ip -j` says nothing when there is nothing.
        guard !text.allSatisfy(\.isWhitespace) else { return [] }
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
    }

    private static func open(_ path: String) throws -> FileDescriptor {
        try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
    }

    private static func enter(_ namespace: FileDescriptor) {
        guard setns(namespace.rawValue, Int32(HAWSER_CLONE_NEWNET)) == 0 else {
            fatalError("a thread of the lab can't return to its own network namespace: \(LabError.current("setns"))")
        }
    }
}
