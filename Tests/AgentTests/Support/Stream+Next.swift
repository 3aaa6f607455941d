/// Takes from a stream one at a time, so that a test reads in the order of things.
actor Taker<Element: Sendable> {
    private let stream: AsyncStream<Element>

    init(_ stream: AsyncStream<Element>) { self.stream = stream }

    /// The next one; a suite's time limit ends a wait for what never comes.
    func next() async throws -> Element {
        for await element in stream { return element }
        throw EndOfStream()
    }

    struct EndOfStream: Error {}
}
