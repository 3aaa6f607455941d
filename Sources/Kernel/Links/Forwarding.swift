package import SystemPackage

/// Whether a routing domain's kernel passes packets on from one interface to another (`net.ipv4.ip_forward`, `net.ipv6.conf.all.forwarding`).
package enum Forwarding: String, CaseIterable, Hashable, Sendable {
    case ipv4 = "ipv4/ip_forward"
    case ipv6 = "ipv6/conf/all/forwarding"

    package var setting: Setting { Setting(rawValue) }

    /// What is off, in the namespace of the calling thread; a kernel without IPv6 forwards none, and nothing is missing.
    package static func missing() throws(ForwardingError) -> [Forwarding] {
        var missing: [Forwarding] = []
        for forwarding in allCases {
            do throws(Errno) {
                if try forwarding.setting.read() == "0" { missing.append(forwarding) }
            } catch .noSuchFileOrDirectory where forwarding == .ipv6 {
                continue
            } catch {
                throw ForwardingError(forwarding: forwarding, errno: error)
            }
        }
        return missing
    }

    /// Turns on what is off, in the namespace of the calling thread, and answers what that was.
    package static func enable() throws(ForwardingError) -> [Forwarding] {
        let missing = try missing()
        for forwarding in missing {
            do throws(Errno) {
                try forwarding.setting.write("1")
            } catch {
                throw ForwardingError(forwarding: forwarding, errno: error)
            }
        }
        return missing
    }
}

package struct ForwardingError: Error, Hashable, Sendable, CustomStringConvertible {
    package var forwarding: Forwarding
    package var errno: Errno

    package var description: String { "net/\(forwarding.setting): \(errno)" }
}
