import Foundation
import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@testable import Agent

@Suite("The table of namespaces", .ownThreads) struct NamespaceTableTests {
    private let lab: Lab
    private let namespaces: [LabNamespace]
    private let folder: TemporaryFolder

    init() throws {
        let lab = try Lab()
        self.lab = lab
        namespaces = try ["one", "two"].map { try lab.namespace($0) }
        folder = try TemporaryFolder()
    }

    /// Another path of a namespace.
    private func other(_ number: Int, _ name: String = "link") throws -> String {
        let path = folder.file(name)
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: namespaces[number].path)
        return path
    }

    private func identity(_ number: Int) throws -> NamespaceIdentity {
        try NetworkNamespace(at: namespaces[number].path).identity
    }

    @Test("gives a place to who asks first, and to the next when that lets go of it, in whatever way")
    func claims() throws {
        for letsGo in [
            nil, ("/run/netns/none", "eth0"), (namespaces[0].path, "eth1"), (namespaces[1].path, "eth0"),
        ] as [(String, String)?] {
            var table = NamespaceTable()
            _ = table.place("a", at: namespaces[0].path, "eth0")
            _ = table.place("b", at: try other(0), "eth0")
            #expect(table.look(at: "a") == .appeared && table.look(at: "b") == .absent)
            #expect(try table.home(of: "a") == identity(0) && !table.isThere("b"))
            #expect(table.absence(of: "a") == nil)
            #expect(
                table.absence(of: "b")?.reason.contains("which pod a has as \(namespaces[0].path)") == true)
            #expect(
                table.look(at: "a") == .same && table.look(at: "b") == .absent && table.takeHopeful().isEmpty)

            _ = table.place("a", at: letsGo?.0, letsGo?.1 ?? "")
            _ = table.look(at: "a")
            #expect(table.takeHopeful() == ["b"])
            #expect(table.look(at: "b") == .appeared && table.absence(of: "b") == nil)
        }
    }

    @Test(
        "tells a namespace by itself and not by its path: the same by another path is the same, another at the path is another"
    )
    func identities() throws {
        var table = NamespaceTable()
        _ = table.place("a", at: try other(0), "eth0")
        #expect(table.look(at: "a") == .appeared)
        _ = try other(1)
        #expect(table.look(at: "a") == .replaced)
        #expect(try table.home(of: "a") == identity(1))
        try folder.remove("link")
        #expect(table.look(at: "a") == .gone)
        #expect(table.absence(of: "a") == .awaits("network namespace \(folder.file("link"))"))
        // Two interfaces of different names have room in one.
        _ = table.place("b", at: namespaces[1].path, "eth0")
        _ = table.place("c", at: namespaces[1].path, "eth1")
        #expect(table.look(at: "b") == .appeared && table.look(at: "c") == .appeared)
    }

    @Test("takes a place from who isn't there any more, though nobody has noticed")
    func unnoticed() throws {
        var table = NamespaceTable()
        _ = table.place("a", at: try other(0), "eth0")
        _ = table.place("b", at: namespaces[0].path, "eth0")
        #expect(table.look(at: "a") == .appeared)
        _ = try other(1)
        #expect(table.look(at: "b") == .appeared)
        #expect(table.takeHopeful() == ["a"] && !table.isThere("a"))
        #expect(table.look(at: "a") == .appeared)
        #expect(try table.home(of: "a") == identity(1) && table.home(of: "b") == identity(0))
    }

    @Test("gives nobody a namespace that is somebody's already")
    func owned() throws {
        let taken = try identity(0)
        var table = NamespaceTable { $0 == taken ? "the host's own" : nil }
        _ = table.place("a", at: try other(0), "eth0")
        #expect(table.look(at: "a") == .absent && !table.isThere("a"))
        #expect(
            table.absence(of: "a")
                == .refused("\(folder.file("link")) is the host's own network namespace, and no pod's"))
        _ = try other(1)
        #expect(table.look(at: "a") == .appeared)
        _ = try other(0)
        #expect(table.look(at: "a") == .gone)
    }

    @Test(
        "leaves a place, at the start, to who has it, and otherwise to the first by name",
        arguments: ["a", "b", nil])
    func beginning(holder: String?) throws {
        var table = NamespaceTable()
        _ = table.place("a", at: namespaces[0].path, "eth0")
        _ = table.place("b", at: try other(0), "eth0")
        _ = table.place("c", at: namespaces[1].path, "eth0")
        table.begin(with: ["c", "b", "a"]) { pod, path in pod.value == holder && path != namespaces[1].path }
        #expect(table.isThere(ID(holder ?? "a")) && table.isThere("c"))
        #expect(["a", "b"].filter { table.isThere(ID($0)) }.count == 1)
    }
}
