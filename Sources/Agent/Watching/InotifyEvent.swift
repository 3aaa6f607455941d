import CLinux
import Foundation
import NIOCore

/// One `struct inotify_event` (sys/inotify.h): watch, mask, cookie and the name's length, 32 bits each in the machine's order, then the name,
/// filled up with zeros.
struct InotifyEvent: Hashable, Sendable {
    var watch: Int32
    var mask: UInt32
    var name: String

    func has(_ bits: Int32) -> Bool { mask & UInt32(bitPattern: bits) != 0 }

    /// Something else than a file of the folder happened: the folder itself went, or is no longer watched.
    var isEnd: Bool { has(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT) }

    /// The queue was full (/proc/sys/fs/inotify/max_queued_events): events are lost.
    var isOverflow: Bool { has(IN_Q_OVERFLOW) }

    /// The file is as its writer wants it, or gone.
    var isFinal: Bool { has(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) }

    static func parse(_ data: Data) -> [InotifyEvent] {
        var buffer = ByteBuffer(bytes: data)
        var events: [InotifyEvent] = []
        while let watch = buffer.readInteger(endianness: .host, as: Int32.self),
            let mask = buffer.readInteger(endianness: .host, as: UInt32.self),
            buffer.readInteger(endianness: .host, as: UInt32.self) != nil,  // the cookie that pairs the two ends of a move
            let length = buffer.readInteger(endianness: .host, as: UInt32.self),
            let name = buffer.readBytes(length: Int(length))
        {
            events.append(InotifyEvent(watch: watch, mask: mask, name: String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)))
        }
        return events
    }
}
