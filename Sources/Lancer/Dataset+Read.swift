import LancerArrow
import LancerBytes
import LancerTable

extension Dataset {
    /// Number of rows, deleted ones not counted.
    ///
    /// - Throws: `corrupt`, `truncated`, `io`, and only for tables whose manifest lacks the numbers.
    /// - Complexity: reads nothing; the manifest has the numbers.
    public func countRows() async throws -> Int { try await table.countRows() }

    /// The rows in order, as a sequence of batches.
    ///
    /// - Parameters:
    ///   - columns: Names of the columns wanted, in the order wanted; `a.b` names a field of a struct and becomes a
    ///     column of that name. Nil for all.
    ///   - offset: How many rows to pass over first.
    ///   - limit: Most rows to give; nil for all.
    ///   - batchRows: Most rows in one batch; nil lets Lancer choose batches of about 8 MiB.
    /// - Throws: `notFound` for a column that does not exist, `invalidArgument` for a negative number or a column named
    ///   twice.
    public func scan(
        columns: [String]? = nil,
        offset: Int = 0,
        limit: Int? = nil,
        batchRows: Int? = nil
    ) throws -> Scan {
        let columns = try projection(columns)
        return Scan(
            try TableScan(table: table, projection: columns, offset: offset, limit: limit, batchRows: batchRows)
        )
    }

    /// The rows with the given numbers.
    ///
    /// - Parameters:
    ///   - rows: Row numbers, 0 for the first row that ``scan(columns:offset:limit:batchRows:)`` gives. Any order,
    ///     repeats allowed; the result keeps the order.
    ///   - columns: As for ``scan(columns:offset:limit:batchRows:)``.
    /// - Throws: `invalidArgument` for a row number outside the table, `notFound` for a column that does not exist,
    ///   `corrupt`, `truncated`, `io`.
    /// - Complexity: reads the pages' parts that hold the rows, not whole pages.
    public func take(_ rows: [Int], columns: [String]? = nil) async throws -> RecordBatch {
        try await table.take(rows, try projection(columns))
    }
}
