import CLinux
import Foundation
import SystemPackage
import Testing

@testable import Agent

@Suite("The table of watched folders") struct FolderTableTests {
    /// How many watches an inotify instance has (proc_pid_fdinfo(5)).
    private func watches(of inotify: FileDescriptor) throws -> Int {
        try String(contentsOfFile: "/proc/self/fdinfo/\(inotify.rawValue)", encoding: .utf8).split(separator: "\n").count {
            $0.hasPrefix("inotify ")
        }
    }

    @Test("gives a watch back with the last folder that it serves, whether that is there or waited for")
    func givesBack() throws {
        let folder = try TemporaryFolder()
        let inotify = FileDescriptor(rawValue: hawser_inotify())
        defer { try? inotify.close() }
        var table = FolderTable(inotify: inotify, mask: UInt32(bitPattern: IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR))
        table.add(folder.path)
        let one = try watches(of: inotify)
        #expect(one == 1)
        for number in 0..<20 {
            // One for each pod, as /proc/PID/ns is; and one that isn't there yet, which its ancestor stands for.
            let own = folder.file("pod-\(number)")
            try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
            table.add(own)
            table.add(own + "/later")
            table.add(folder.file("missing-\(number)/later"))
            #expect(try watches(of: inotify) == 2)
            for path in [own, own + "/later", folder.file("missing-\(number)/later")] { table.remove(path) }
            #expect(try watches(of: inotify) == one)
        }
        #expect(table.wanted == [folder.path])
        table.remove(folder.path)
        #expect(try watches(of: inotify) == 0)
    }
}
