import CFuzzer
import Foundation
import Testing

/// A run of libFuzzer, inside the test program because all that is tested can be reached there: `make fuzz`.
@Suite("libFuzzer") struct FuzzRun {
    /// Ends the process by itself: with status 0 when the time is over, with another when something was found.
    @Test("finds nothing", .enabled(if: FuzzTarget.asked != nil, "it is asked for by HAWSER_FUZZ, which names a target"))
    func run() throws {
        let target = try #require(FuzzTarget.asked)
        let options = ProcessInfo.processInfo.environment["HAWSER_FUZZ_OPTIONS"] ?? ""
        let words = ["fuzz"] + options.split(separator: " ").map(String.init) + ["\(Corpus.folder)/Corpus/\(target)"]
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        unsafe arguments.withUnsafeMutableBufferPointer { words in
            unsafe hawser_fuzz(Int32(words.count - 1), words.baseAddress) { data, size in
                do {
                    try unsafe FuzzTarget.asked?.read(Array(UnsafeBufferPointer(start: data, count: size)))
                } catch {
                    fatalError("\(error)")
                }
                return 0
            }
        }
        Issue.record("this program was built without libFuzzer: see make fuzz")
    }
}

extension FuzzTarget {
    /// `HAWSER_FUZZ` names what is tried.
    fileprivate static let asked = ProcessInfo.processInfo.environment["HAWSER_FUZZ"].flatMap(FuzzTarget.init)
}
