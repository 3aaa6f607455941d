package import HawserAPI

/// The events remembered when it began, oldest first, and then those that happen.
package struct Follower: AsyncSequence, Sendable {
    let remembered: [EventView]
    let stream: AsyncStream<EventView>
    /// Ends the sequence, after what is under way already.
    package let hangUp: @Sendable () -> Void

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate var remembered: ArraySlice<EventView>
        fileprivate var stream: AsyncStream<EventView>.Iterator

        package mutating func next(isolation actor: isolated (any Actor)?) async -> EventView? {
            if let event = remembered.popFirst() { return event }
            return await stream.next(isolation: actor)
        }
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(remembered: remembered[...], stream: stream.makeAsyncIterator())
    }
}
