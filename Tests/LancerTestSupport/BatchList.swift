import LancerArrow
import LancerBytes

/// Batches from memory, as a reader; can fail after some of them.
package struct BatchList: RecordBatchReader {
    package let schema: ArrowSchema
    private var batches: [RecordBatch]
    private let failure: LanceError?

    /// - Parameter failure: Thrown after the last batch instead of ending.
    package init(_ schema: ArrowSchema, _ batches: [RecordBatch], failure: LanceError? = nil) {
        self.schema = schema
        self.batches = batches
        self.failure = failure
    }

    /// One batch.
    package init(_ batch: RecordBatch) { self.init(batch.schema, [batch]) }

    package mutating func next() throws -> RecordBatch? {
        if batches.isEmpty {
            if let failure { throw failure }
            return nil
        }
        return batches.removeFirst()
    }
}
