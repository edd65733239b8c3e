import LancerArrow
import LancerBytes

/// The rows of a ``Dataset`` in order, batch by batch.
///
/// Can be iterated more than once. Iterating reads and decodes ahead on all cores, in bounded memory.
public struct Scan: AsyncSequence, Sendable {
    /// Columns of every batch.
    public let schema: ArrowSchema

    /// Starts reading.
    public func makeAsyncIterator() -> Iterator { Iterator() }

    /// The position of one loop over a ``Scan``.
    public struct Iterator: AsyncIteratorProtocol {
        /// The next batch, or nil at the end.
        ///
        /// - Throws: `LanceError` (`corrupt`, `truncated`, `unsupported`, `io`) or `CancellationError`.
        public mutating func next() async throws -> RecordBatch? { nil }
    }
}
