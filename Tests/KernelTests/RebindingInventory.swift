import Foundation
import HostNetwork
import Lab

extension LabHost {
    /// How many objects of each kind the kernel has of ours, as `nft` and `ip` count them; chains that stamp an epoch come and go.
    func inventory() throws -> [String: Int] {
        var count: [String: Int] = [:]
        let listing = try JSONSerialization.jsonObject(with: Data(try host.run("nft", "-j", "list", "ruleset").utf8)) as? [String: Any]
        for item in listing?["nftables"] as? [[String: Any]] ?? [] {
            guard let (kind, value) = item.first, let object = value as? [String: Any], object["table"] as? String == Marks.table else {
                continue
            }
            let names = [object["name"], object["chain"]].compactMap { $0 as? String }
            if names.contains(where: { $0.hasPrefix("epoch-") }) { continue }
            count[kind, default: 0] += 1
            if kind == "set" || kind == "map" { count["element", default: 0] += (object["elem"] as? [Any])?.count ?? 0 }
        }
        count["link"] = try host.json("ip", "-j", "link", "show").count
        for family in ["-4", "-6"] {
            count["route \(family)"] = try host.json("ip", "-j", family, "route", "show", "table", "all").count
            count["neighbor \(family)"] = try host.json("ip", "-j", family, "neigh", "show", "nud", "permanent").count
        }
        return count
    }
}

/// Dice that fall the same way again from the same seed (SplitMix64).
struct RebindingDice: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    init(seed: UInt64 = .random(in: 0 ... .max)) {
        self.seed = seed
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
