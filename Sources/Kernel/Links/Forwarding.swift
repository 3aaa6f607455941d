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
                throw ForwardingError(forwarding: forwarding, setting: forwarding.setting, errno: error)
            }
        }
        return missing
    }

    /// Turns on what is off, in the namespace of the calling thread, and answers what that was.
    package static func enable() throws(ForwardingError) -> [Forwarding] {
        let missing = try missing()
        for forwarding in missing { try forwarding.turnOn() }
        return missing
    }

    /// The same for a namespace that was made for a routing domain, where all of the kernel's settings are
    /// Hawser's to say: no redirect is sent, which a link of its own can't say for itself
    /// (`IN_DEV_TX_REDIRECTS`, linux/inetdevice.h), and no router's advertisement is taken.
    package static func enableInOwn() throws(ForwardingError) {
        for (forwarding, name) in [
            (ipv4, "ipv4/conf/all/send_redirects"), (.ipv6, "ipv6/conf/default/accept_ra"),
        ] {
            let setting = Setting(name)
            do throws(Errno) {
                if try setting.read() != "0" { try setting.write("0") }
            } catch .noSuchFileOrDirectory where forwarding == .ipv6 {
                continue
            } catch {
                throw ForwardingError(forwarding: forwarding, setting: setting, errno: error)
            }
        }
        _ = try enable()
    }

    /// Turns on what is off in the host's own namespace, the calling thread's; each by itself, so that one
    /// that can't be has no part in the other. The host keeps the routes that it has by routers'
    /// advertisements, and goes on taking those: where that can't be, IPv6 stays as it is.
    package static func enableOnHost() -> HostForwarding {
        var result = HostForwarding()
        do throws(ForwardingError) {
            for forwarding in try missing() {
                do throws(ForwardingError) {
                    if forwarding == .ipv6 { result.kept = try RouterAdvertisements.keep() }
                    try forwarding.turnOn()
                    result.enabled.append(forwarding)
                } catch {
                    result.refused.append(error)
                }
            }
        } catch {
            result.refused.append(error)
        }
        return result
    }

    private func turnOn() throws(ForwardingError) {
        do throws(Errno) { try setting.write("1") } catch {
            throw ForwardingError(forwarding: self, setting: setting, errno: error)
        }
    }
}

/// What became of the host's forwarding.
package struct HostForwarding: Hashable, Sendable {
    package var enabled: [Forwarding] = []
    /// Settings by which interfaces go on taking routers' advertisements.
    package var kept: [Setting] = []
    package var refused: [ForwardingError] = []
}

/// Why a kind of forwarding couldn't be read or turned on.
package struct ForwardingError: Error, Hashable, Sendable, CustomStringConvertible {
    package var forwarding: Forwarding
    /// What it failed at.
    package var setting: Setting
    package var errno: Errno

    package var description: String {
        guard setting != forwarding.setting else { return "net/\(setting): \(errno)" }
        return "net/\(forwarding.setting): net/\(setting) can't be set before it: \(errno)"
    }
}
