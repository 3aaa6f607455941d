import Foundation
import PolicyModel

/// Inputs that are kept: what others really wrote, and what was found once.
struct Corpus {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().path(percentEncoded: false)

    /// By file.
    let inputs: [(file: String, bytes: [UInt8])]

    init(of target: FuzzTarget) throws {
        inputs = try ["Corpus", "Regressions"].flatMap { kind in
            let folder = Self.folder + "/\(kind)/\(target)"
            // Of what wasn't found there is none.
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return try names.sorted().map { ($0, [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\($0)")))) }
        }
    }

    /// One of the inputs, changed in one to eight places.
    func mutated(_ random: inout Seeded) -> [UInt8] {
        guard var bytes = inputs.randomElement(using: &random)?.bytes else { return [] }
        for _ in 0..<random.number(1...8) where !bytes.isEmpty {
            let place = random.number(0...bytes.count - 1)
            switch random.number(0...6) {
            case 0: bytes[place] ^= 1 << UInt8(random.number(0...7))
            case 1: bytes[place] = UInt8(random.number(0...255))
            case 2: bytes[place] = random.pick(0, 1, 0x7f, 0x80, 0xff)
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + random.number(1...16)))
            case 4: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + random.number(1...32))], at: place)
            case 5: bytes.removeLast(bytes.count - place)
            default:
                guard let other = inputs.randomElement(using: &random)?.bytes, !other.isEmpty else { continue }
                let start = random.number(0...other.count - 1)
                bytes.insert(contentsOf: other[start..<min(other.count, start + random.number(1...64))], at: place)
            }
        }
        return bytes
    }
}
