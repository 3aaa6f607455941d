/// What an element or rule has counted.
package struct Counter: Hashable, Sendable {
    package var packets: UInt64
    package var bytes: UInt64

    package init(packets: UInt64 = 0, bytes: UInt64 = 0) {
        self.packets = packets
        self.bytes = bytes
    }

    package static func + (a: Self, b: Self) -> Self { Self(packets: a.packets &+ b.packets, bytes: a.bytes &+ b.bytes) }
}
