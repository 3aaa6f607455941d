import CLibMNL
import HostNetwork

@testable import Kernel
@testable import Netlink

/// Answers and news of the kernel.
extension FuzzTarget {
    func readLinks(_ bytes: [UInt8]) {
        unsafe bytes.span.bytes.messages { header, message in
            _ = "\(header.type)"
            if let error = KernelError(header, message) { _ = "\(error)" }
            if let link = FoundLink(header, message) { _ = link.words }
            _ = FoundAddress(header, message)
            _ = FoundRoute(header, message)
            _ = FoundNeighbor(header, message)
            _ = FoundForwarding(header, message)
            _ = FoundPlaces(header, message)
            _ = FoundWay(header, message)
        }
    }

    func readEvents(_ bytes: [UInt8]) {
        var reader = LinkEventReader(except: [7])
        unsafe bytes.span.bytes.messages { header, message in _ = reader.event(header, message) }
    }

    func readFlows(_ bytes: [UInt8]) {
        unsafe bytes.span.bytes.messages { header, message in _ = Flow(header, message) }
    }

    func readRuleset(_ bytes: [UInt8]) throws {
        var sets = [NamedSet(Named(.inet, "members"), [.ipv4Address])]
        var listed: [ListedElement] = []
        unsafe bytes.span.bytes.messages { _, message in
            for family in TableFamily.allCases {
                _ = Chain(listed: message, in: family)
                if let (set, _) = NamedSet.listed(message, in: family) { sets.append(set) }
            }
            _ = Firewall.ListedRule(message)
            _ = ForeignRule(message)
            _ = (ForeignRule.flowtable(message), ForeignChain(message))
            listed += ListedElement.all(in: message)
        }
        for set in sets {
            for isInterval in [false, true] {
                var set = set
                set.isInterval = isInterval
                let elements = ListedElement.elements(of: set, listed)
                guard elements.count <= listed.count else { throw Contradiction("\(listed.count) elements became \(elements.count)") }
            }
        }
    }

    func readEnvironment(_ bytes: [UInt8]) {
        var environment: [String: String] = ["NOTIFY_SOCKET": "/nowhere"]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            environment[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        }
        _ = VirtualServices(listing: String(decoding: bytes, as: UTF8.self))
        _ = DescriptorStore(environment: environment, process: 7)?.left
        readWatchdog(environment["WATCHDOG_USEC"])
    }
}
