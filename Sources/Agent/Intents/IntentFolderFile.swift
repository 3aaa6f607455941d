import Foundation
import HostNetwork

/// One file of the intents' folder, as it stands on disk.
enum IntentFolderFile {
    /// Bytes; a bigger one is refused.
    static let maxSize = 64 << 20

    /// Whether a name in the folder is one of ours: hidden files and editors' copies aren't.
    static func isIntents(_ name: String) -> Bool {
        !name.hasPrefix(".") && [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
    }

    enum Content {
        case gone
        /// Not as a whole; the text says why.
        case unreadable(String)
        case read(IntentBook.Page, digest: String)
    }

    static func read(_ path: String) -> Content {
        let text: Data
        do throws(ForeignFile.Refusal) { text = try ForeignFile.read(path, atMost: maxSize) } catch {
            return error == .gone ? .gone : .unreadable("\(error)")
        }
        do {
            return .read(IntentBook.Page(try IntentReader.documents(in: text, named: path)), digest: digest(of: text))
        } catch {
            return .unreadable(error.reason)
        }
    }

    private static func digest(of text: Data) -> String {
        "\(text.count) \(String(StableHash.fnv1a(text), radix: 16))"
    }
}
