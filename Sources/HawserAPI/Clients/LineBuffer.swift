package import Foundation
package import NIOCore
import NIOFoundationCompat

/// Cuts a stream of bytes into lines: newline-delimited JSON arrives in pieces of any size.
package struct LineBuffer: Sendable {
    private var bytes = ByteBuffer()

    package init() {}

    package mutating func append(_ part: ByteBuffer) {
        bytes.discardReadBytes()
        bytes.writeImmutableBuffer(part)
    }

    /// The next whole line without its end; nil until the rest of it has arrived. Empty lines are skipped.
    package mutating func next() -> Data? {
        while let end = bytes.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let line = bytes.readData(length: end - bytes.readerIndex)
            bytes.moveReaderIndex(forwardBy: 1)
            if let line, !line.isEmpty { return line }
        }
        return nil
    }
}
