import Netlink

extension RawSpan {
    /// Whether it is this text, with or without a NUL; makes no copy.
    func isText(_ text: String) -> Bool {
        let length = text.utf8.count
        guard byteCount == length || (byteCount == length + 1 && number(at: length, as: UInt8.self) == 0)
        else { return false }
        return unsafe withUnsafeBytes { bytes in unsafe bytes.prefix(length).elementsEqual(text.utf8) }
    }
}
