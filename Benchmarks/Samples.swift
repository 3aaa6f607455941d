/// What was measured of one thing again and again, and what is told of it.
struct Samples: Codable, Sendable {
    private(set) var minimum = 0.0
    private(set) var median = 0.0
    private(set) var p90 = 0.0
    private(set) var p99 = 0.0
    private(set) var maximum = 0.0
    private(set) var count = 0
    private var sorted: [Double] = []

    private enum CodingKeys: String, CodingKey { case minimum, median, p90, p99, maximum, count }

    init() {}

    init(_ samples: some Sequence<Double>) {
        sorted = samples.sorted()
        tell()
    }

    mutating func add(_ sample: Double) {
        sorted.append(sample)
        sorted.sort()
        tell()
    }

    private mutating func tell() {
        count = sorted.count
        guard count > 0 else { return }
        minimum = sorted[0]
        median = sorted[count / 2]
        p90 = sorted[min(count - 1, count * 9 / 10)]
        maximum = sorted[count - 1]
        p99 = sorted[min(count - 1, count * 99 / 100)]
    }
}
