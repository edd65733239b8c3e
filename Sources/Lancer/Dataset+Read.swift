import LancerArrow
import LancerBytes
import LancerTable

extension Dataset {
    /// Number of rows, deleted ones not counted.
    ///
    /// - Throws: `corrupt`, `truncated`, `io`, and only for tables whose manifest lacks the numbers.
    /// - Complexity: reads nothing; the manifest has the numbers.
    public func countRows() async throws -> Int { try await table.countRows() }

    /// Number of rows for which a condition is true.
    ///
    /// - Parameter condition: SQL text, see ``scan(columns:where:offset:limit:batchRows:)``.
    /// - Throws: `invalidArgument` for a condition that cannot be read or computed, `corrupt`, `truncated`, `io`.
    /// - Complexity: reads the columns that the condition names.
    public func countRows(where condition: String) async throws -> Int {
        try await table.countRows(where: try RowFilter(condition, of: table.manifest))
    }

    /// The rows in order, as a sequence of batches.
    ///
    /// ```swift
    /// for try await batch in dataset.scan(columns: ["package"], where: "size > 1000 AND section LIKE 'sci%'") { … }
    /// ```
    ///
    /// With a condition, the columns it names are read first, and the others only where a row was chosen.
    ///
    /// - Parameters:
    ///   - columns: Names of the columns wanted, in the order wanted; `a.b` names a field of a struct and becomes a
    ///     column of that name. Nil for all.
    ///   - condition: SQL text over the table's columns, as the reference reads it (`size > 10 AND (name LIKE 'a%' OR tag
    ///     IN ('x', 'y')) AND st.field IS NOT NULL`); rows for which it is true are given, those for which it is false or
    ///     null are not. Column names with other characters than letters, digits and `_` are written in backticks.
    ///   - offset: How many rows to pass over first, of those for which the condition is true.
    ///   - limit: Most rows to give; nil for all.
    ///   - batchRows: Most rows in one batch; nil lets Lancer choose batches of about 8 MiB.
    /// - Throws: `notFound` for a column that does not exist, `invalidArgument` for a negative number, a column named
    ///   twice, or a condition that cannot be read (the error names the character).
    public func scan(
        columns: [String]? = nil,
        where condition: String? = nil,
        offset: Int = 0,
        limit: Int? = nil,
        batchRows: Int? = nil
    ) throws -> Scan {
        let filter = try condition.map { text throws(LanceError) in try RowFilter(text, of: table.manifest) }
        return Scan(
            try TableScan(
                table: table,
                projection: try projection(columns),
                filter: filter,
                offset: offset,
                limit: limit,
                batchRows: batchRows
            )
        )
    }

    /// The rows with the given numbers.
    ///
    /// - Parameters:
    ///   - rows: Row numbers, 0 for the first row that ``scan(columns:where:offset:limit:batchRows:)`` gives. Any order,
    ///     repeats allowed; the result keeps the order.
    ///   - columns: As for ``scan(columns:where:offset:limit:batchRows:)``.
    /// - Throws: `invalidArgument` for a row number outside the table, `notFound` for a column that does not exist,
    ///   `corrupt`, `truncated`, `io`.
    /// - Complexity: reads the pages' parts that hold the rows, not whole pages.
    public func take(_ rows: [Int], columns: [String]? = nil) async throws -> RecordBatch {
        try await table.take(rows, try projection(columns))
    }
}
