import Foundation

/// Another program, waited for without holding a thread that those who answer it may need.
enum Program {
    static func run(_ name: String, _ arguments: [String]) async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [name] + arguments
        let (ended, continuation) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { continuation.yield($0.terminationStatus) }
        try process.run()
        for await status in ended {
            guard status == 0 else { throw Failed(name: name, status: status) }
            return
        }
    }

    struct Failed: Error {
        var name: String
        var status: Int32
    }
}
