package import HostNetwork
package import Netlink
import SystemPackage

extension LinkTable {
    /// Routes of Hawser's out of interfaces that aren't, and the rules by which tables are looked at.
    package mutating func observeElsewhere() throws(TransportError) -> [LinkObject] {
        var ends = FoundEnds()
        try ends.read(through: &socket)
        let ours = Set(try (FoundLink.all(through: &socket) + FoundLink.tunnels(through: &socket)).map(\.index))
        return ends.elsewhere(besides: ours) + (try TableRule.all(through: &socket)).map { .tableRule($0) }
    }

    /// Gives links the group back that they were known by. Each is told by the number that it had then, by its name and by what it is; one
    /// that somebody put in its place is left alone.
    ///
    /// - Returns: those that it was given to, and what they had instead.
    package mutating func mark(_ links: [LinkName: Int32]) throws(TransportError) -> [LinkName: String] {
        let found = try find(Set(links.keys)).filter { name, link in
            link.index.value == links[name] && !link.isMarked && (link.kind == "veth" || link.kind == "vxlan")
        }
        var batch = Batch()
        let names = Array(found.keys)
        for name in names {
            guard let link = found[name] else { continue }
            _ = batch.addMark(link.index, name.isTunnel ? Marks.tunnelGroup : Marks.linkGroup)
        }
        let refused = try socket.send(&batch)
        var marked: [LinkName: String] = [:]
        for (place, name) in names.enumerated() where refused[place] == nil {
            marked[name] =
                "link \(name) was in group \(found[name]?.group ?? 0) instead of \(name.isTunnel ? Marks.tunnelGroup : Marks.linkGroup)"
        }
        return marked
    }

    /// Gives pairs the alternative names back that somebody took away. A convenience for people: another link may have it.
    ///
    /// - Returns: those that it was given to, and the name.
    package mutating func rename(_ links: [Link]) throws(TransportError) -> [LinkName: String] {
        let found = try find(Set(links.map(\.name)))
        var batch = Batch()
        var asked: [(link: LinkName, name: String)] = []
        for link in links {
            guard let there = found[link.name], there.isOurs, let name = link.alternativeName, !there.alternativeNames.contains(name),
                link.addAlternativeName(to: &batch, there.index) != nil
            else { continue }
            asked.append((link.name, name))
        }
        let refused = try socket.send(&batch)
        var named: [LinkName: String] = [:]
        for (place, (link, name)) in asked.enumerated() where refused[place] == nil {
            named[link] = "alternative name \(name) of link \(link) was missing"
        }
        return named
    }
}
