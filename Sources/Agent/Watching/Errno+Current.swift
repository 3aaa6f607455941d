import Glibc
import SystemPackage

extension Errno {
    /// What the call that has just failed left in `errno`.
    static var current: Errno { Errno(rawValue: errno) }
}
