import CLibNL
import HostNetwork
import Netlink

/// libnl-route as a codec: an object of libnl's becomes the bytes of one message, which goes out through our own socket.
enum Codec {
    /// Appends the message that `build` makes, with `flags` in place of its own, and what `more` adds.
    static func add(
        to batch: inout Batch, _ flags: MessageFlags, _ more: (inout MessageWriter) -> Void = { _ in },
        _ build: (inout OpaquePointer?) -> Int32
    ) -> Int {
        var message: OpaquePointer?  // struct nl_msg, netlink/msg.h
        let code = unsafe build(&message)
        guard code >= 0, let message = unsafe message, let header = unsafe nlmsg_hdr(message) else {
            // It is given nothing but validated values, so that only memory can be lacking.
            unsafe fatalError("libnl cannot encode a message: \(String(cString: nl_geterror(code)))")
        }
        defer { unsafe nlmsg_free(message) }
        return unsafe batch.add(
            encoded: UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len)), flags, more)
    }

    /// Lends an address to libnl, which takes a reference or a copy where it keeps it.
    static func with(_ address: IPAddress, length: Int? = nil, _ body: (OpaquePointer) -> Void) {
        unsafe with(address.family.number, address.bytes, length ?? address.bits, body)
    }

    static func with(_ mac: MAC, _ body: (OpaquePointer) -> Void) {
        unsafe with(AF_LLC, mac.bytes, 48, body)
    }

    private static func with(_ family: Int32, _ bytes: [UInt8], _ length: Int, _ body: (OpaquePointer) -> Void) {
        let made = unsafe bytes.withUnsafeBytes { unsafe nl_addr_build(family, $0.baseAddress, $0.count) }
        guard let address = unsafe made else { fatalError("libnl has no memory for an address") }
        defer { unsafe nl_addr_put(address) }
        unsafe nl_addr_set_prefixlen(address, Int32(length))
        unsafe body(address)
    }
}

extension Family {
    /// `AF_INET` or `AF_INET6`.
    var number: Int32 { self == .v4 ? AF_INET : AF_INET6 }
}
