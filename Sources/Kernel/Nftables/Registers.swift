import CLibNFTNL

/// The registers that a rule's expressions pass values in: 16 words of 32 bits.
enum Register {
    /// The register of a word, counted from 0, named as the kernel names it when it lists a rule (`nft_dump_register`).
    static func word(_ index: Int) -> UInt32 {
        index % 4 == 0 ? UInt32(NFT_REG_1.rawValue) + UInt32(index / 4) : UInt32(NFT_REG32_00.rawValue) + UInt32(index)
    }

    static let verdict = UInt32(NFT_REG_VERDICT.rawValue)
}
