import Lancer
import LancerExpression
import LancerStorage
import LancerTable

/// The rows of another source for which a condition is true.
struct FilteredBatches: BatchSource {
    private var base: any BatchSource
    private let condition: BoundExpression

    /// - Throws: `invalidArgument` that names the character, `unsupported`.
    init(_ base: any BatchSource, where condition: String) throws(LanceError) {
        let time = WallClock.now()
        self.base = base
        self.condition = try BoundExpression(
            condition,
            schema: base.schema,
            purpose: .predicate,
            now: time.seconds &* 1_000_000_000 &+ Int64(time.nanoseconds),
            zone: { name throws(LanceError) in try ZoneDatabase.rules(name) }
        )
    }

    var schema: ArrowSchema { base.schema }

    mutating func next() async throws -> RecordBatch? {
        while let batch = try await base.next() {
            let chosen = try condition.select(try condition.columns(of: batch), rowCount: batch.rowCount)
            let count = chosen.setCount
            if count == batch.rowCount { return batch }
            if count > 0 { return try batch.filter(chosen) }
        }
        return nil
    }
}
