import Glibc

/// Whether this program is instrumented (`make sanitize`), and with it those that it starts: what they take of memory says little then.
package enum Sanitizer {
    package static let isOn = isThere("__asan_init") || isThere("__tsan_init")

    private static func isThere(_ name: String) -> Bool { unsafe dlsym(nil, name) != nil }
}
