import LancerArrow
import LancerBytes
import LancerTable

/// The rows of a ``Dataset`` in order, batch by batch.
///
/// Can be iterated more than once. Iterating reads and decodes ahead on all cores, in bounded memory.
public struct Scan: AsyncSequence, Sendable {
    /// What a scan gives.
    public typealias Element = RecordBatch

    let scan: TableScan

    init(_ scan: TableScan) { self.scan = scan }

    /// Columns of every batch.
    public var schema: ArrowSchema { scan.projection.schema }

    /// Starts reading.
    public func makeAsyncIterator() -> Iterator { Iterator(scan.makeIterator()) }

    /// The position of one loop over a ``Scan``.
    public struct Iterator: AsyncIteratorProtocol {
        private let iterator: TableScan.Iterator

        init(_ iterator: TableScan.Iterator) { self.iterator = iterator }

        /// The next batch, never empty, or nil at the end.
        ///
        /// - Throws: `LanceError` (`corrupt`, `truncated`, `unsupported`, `io`) or `CancellationError`.
        public mutating func next() async throws -> RecordBatch? { try await iterator.next() }
    }

    /// All rows in one batch.
    ///
    /// - Throws: as the iterator does.
    public func collect() async throws -> RecordBatch {
        var batches: [RecordBatch] = []
        for try await batch in self { batches.append(batch) }
        if batches.isEmpty {
            return try RecordBatch(schema: schema, columns: schema.fields.map { ArrowArray.empty($0.type) })
        }
        return batches.count == 1 ? batches[0] : try RecordBatch.concatenating(batches)
    }
}
