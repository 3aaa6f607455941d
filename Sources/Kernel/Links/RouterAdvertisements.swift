import CLibMNL
import CLinux
import HostNetwork
import Netlink
import SystemPackage

/// Routers' advertisements, by which a host may have its IPv6 addresses and its default route (RFC 4861;
/// `accept_ra`, ip-sysctl.rst).
///
/// An interface that forwards takes them only where `accept_ra` is 2, and 1 is the kernel's default. Worse,
/// when forwarding begins, each route that came by an advertisement at an interface without 2 is deleted at
/// once (`rt6_purge_dflt_routers`, net/ipv6/route.c).
enum RouterAdvertisements {
    private static let none = "0", unlessForwarding = "1", always = "2"

    /// Lets interfaces that take advertisements now take them also when they forward, in the namespace of the
    /// calling thread; those that come later, too, for they begin as `default` says. Hawser's own never take
    /// any. Answers what was set, and is to be called before forwarding begins: the kernel looks at it in
    /// that moment.
    static func keep() throws(ForwardingError) -> [Setting] {
        var kept: [Setting] = []
        // Those first that come while the others are looked at.
        _ = try keep("default", &kept)
        for link in try links() where link.index != .loopback {
            var name = link.name
            while try !keep(name, isOurs: link.isOurs, &kept) {
                // It is gone, or has another name, or no IPv6.
                guard let now = Self.name(of: link.index), now != name else { break }
                name = now
            }
        }
        return kept
    }

    /// Refuses advertisements at interfaces of the calling thread's namespace; those where that couldn't be,
    /// and why.
    static func refuse(at names: [LinkName]) -> [LinkName: Problem] {
        var problems: [LinkName: Problem] = [:]
        for name in names {
            let setting = accepting(name.value)
            do throws(Errno) {
                try setting.write(none)
            } catch .noSuchFileOrDirectory {
                continue  // The kernel has no IPv6.
            } catch {
                problems[name] = Problem(errno: error, reason: "net/\(setting): \(error)")
            }
        }
        return problems
    }

    /// Why an interface may take advertisements that it is to refuse.
    struct Problem: Hashable, Sendable {
        var errno: Errno
        var reason: String
    }

    /// False: there are no such settings.
    private static func keep(_ interface: String, isOurs: Bool = false, _ kept: inout [Setting])
        throws(ForwardingError) -> Bool
    {
        let setting = accepting(interface)
        do throws(Errno) {
            let value = try setting.read()
            if isOurs {
                if value != none { try setting.write(none) }
            } else if value == unlessForwarding, try forwarding(interface).read() == "0" {
                try setting.write(always)
                kept.append(setting)
            }
            return true
        } catch .noSuchFileOrDirectory {
            return false
        } catch {
            throw ForwardingError(forwarding: .ipv6, setting: setting, errno: error)
        }
    }

    private static func accepting(_ interface: String) -> Setting {
        Setting("ipv6/conf/\(interface)/accept_ra")
    }

    private static func forwarding(_ interface: String) -> Setting {
        Setting("ipv6/conf/\(interface)/forwarding")
    }

    private static func links() throws(ForwardingError) -> [FoundLink] {
        do throws(TransportError) {
            var socket = try NetlinkSocket(.route, space: LinkTable.space)
            return try socket.dump(
                .getLink,
                { message in
                    message.put(raw: ifinfomsg())
                    message.put(.whatToLeaveOut, UInt32(RTEXT_FILTER_SKIP_STATS))
                }
            ) { header, message in FoundLink(header, message) }
        } catch {
            throw ForwardingError(forwarding: .ipv6, setting: accepting("*"), errno: error.errno)
        }
    }

    private static func name(of index: InterfaceIndex) -> String? {
        var bytes = [CChar](repeating: 0, count: 16)  // IFNAMSIZ, linux/if.h
        guard unsafe if_indextoname(UInt32(bitPattern: index.value), &bytes) != nil else { return nil }
        return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension LinkTable {
    /// Lets no advertisement be taken at links that are to come up: neither a pod nor who sends into a tunnel
    /// is a router to the host, whatever `default` says. Netlink can't say that (`inet6_set_link_af`,
    /// net/ipv6/addrconf.c).
    func refuseAdvertisements(at names: [LinkName]) -> [LinkName: RouterAdvertisements.Problem] {
        guard !names.isEmpty else { return [:] }
        do throws(NamespaceError) {
            return try NetworkNamespace(of: socket).inside { RouterAdvertisements.refuse(at: names) }
        } catch {
            let problem = RouterAdvertisements.Problem(errno: error.errno, reason: "\(error)")
            return Dictionary(names.map { ($0, problem) }) { first, _ in first }
        }
    }
}
