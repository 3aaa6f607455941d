import Glibc

/// Whether this program is instrumented (`make sanitize`), and with it those that it starts: what they take of memory says little then.
package enum Sanitizer {
    package static let isOn = ["__asan_init", "__tsan_init"].contains { unsafe dlsym(nil, $0) != nil }
}
