import HostNetwork
import Lab

extension LabHost {
    /// How many objects of each kind the kernel has of ours, as `nft` and `ip` count them; chains that stamp an epoch come and go.
    func inventory() throws -> [String: Int] {
        var count = try host.rulesetCounts(of: Marks.table, withoutChains: "epoch-")
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
