import Agent
import Foundation
import Testing

@Suite("The watch of namespaces", .timeLimit(.minutes(60))) struct NamespaceWatchTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func following(_ paths: Set<String>, _ body: (NamespaceWatch, Taker<String>) async throws -> Void) async throws {
        let watch = try NamespaceWatch()
        watch.follow(paths)
        let (told, continuation) = AsyncStream.makeStream(of: String.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await watch.run { continuation.yield($0) } }
            try await body(watch, Taker(told))
            group.cancelAll()
        }
    }

    /// A link to the test's own namespace is one, as far as anybody can tell who opens it.
    private func appear(_ name: String) throws {
        try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: "/proc/self/ns/net")
    }

    @Test("tells of one that appears and goes, in a folder that is there or not yet")
    func tells() async throws {
        let (near, far) = (folder.file("a"), folder.file("run/netns/b"))
        try await following([near, far]) { _, told in
            try appear("a")
            #expect(try await told.next() == near)
            try FileManager.default.createDirectory(atPath: folder.file("run/netns"), withIntermediateDirectories: true)
            try appear("run/netns/b")
            #expect(try await told.next() == far)
            try folder.remove("a")
            #expect(try await told.next() == near)
            try folder.remove("run")
            #expect(try await told.next() == far)
        }
    }

    @Test("is silent about what nobody follows, and about files that are no namespaces")
    func silent() async throws {
        let (followed, dropped, file) = (folder.file("a"), folder.file("b"), folder.file("c"))
        try await following([followed, dropped, file]) { watch, told in
            watch.follow([followed, file])
            try appear("b")
            try appear("unknown")
            try appear("a")
            #expect(try await told.next() == followed)
        }
    }

    @Test("doesn't tell again of what was there when it was first followed")
    func alreadyThere() async throws {
        let (old, new) = (folder.file("old"), folder.file("new"))
        try appear("old")
        try await following([old, new]) { _, told in
            try appear("new")
            #expect(try await told.next() == new)
        }
    }
}
