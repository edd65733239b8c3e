import LancerArrow
import LancerBytes
import LancerTable

extension Dataset {
    /// The rows whose vectors are nearest to a query.
    ///
    /// ```swift
    /// let hits = try await dataset.nearest(to: query, on: "embedding", k: 10, where: "section = 'games'")
    /// ```
    ///
    /// Uses the index on the column, if there is one of the metric; rows that it does not cover are compared one by one,
    /// and deleted rows are never found. Without an index every row is compared. Rows whose vector is null are never
    /// found, nor those whose distance is not a number.
    ///
    /// - Parameters:
    ///   - query: As many numbers as the column's vectors have.
    ///   - column: A column of vectors (fixed-size lists of floats of 16, 32 or 64 bits); `a.b` is a field of a struct.
    ///   - k: Rows wanted, at least 1.
    ///   - condition: SQL text as in ``scan(columns:where:offset:limit:batchRows:)``; only rows for which it is true.
    ///   - columns: Names of the columns wanted; nil for all.
    ///   - options: How to search.
    ///   - onWarning: Told when an index could not be used and the rows were compared instead.
    /// - Returns: At most `k` rows, nearest first, at the same distance the one with the smaller id: the columns,
    ///   `_distance` (float32) and `_rowid`.
    /// - Throws: `notFound` for a column that does not exist; `invalidArgument` for a column without vectors, a query of
    ///   another length, numbers that make no sense or a condition that cannot be read; `unsupported`, `corrupt`,
    ///   `truncated`, `io`.
    public func nearest(
        to query: [Float],
        on column: String,
        k: Int = 10,
        where condition: String? = nil,
        columns: [String]? = nil,
        options: NearestSearch = NearestSearch(),
        onWarning: DatasetWarning.Handler = DatasetWarning.toStandardError
    ) async throws -> RecordBatch {
        let queries = try VectorQueries([query])
        return try await search(queries, column, k, condition, columns, options, false, onWarning)
    }

    /// The rows whose vectors are nearest to each of several queries. Faster than one query after the other.
    ///
    /// - Parameters:
    ///   - queries: As many numbers in each as the column's vectors have.
    ///   - column: A column of vectors.
    ///   - k: Rows wanted of each query, at least 1.
    ///   - condition: Only rows for which it is true.
    ///   - columns: Names of the columns wanted; nil for all.
    ///   - options: How to search.
    ///   - onWarning: Told when an index could not be used.
    /// - Returns: As ``nearest(to:on:k:where:columns:options:onWarning:)``, query by query, with the number of the query
    ///   in the first column, `query_index` (int32).
    /// - Throws: as ``nearest(to:on:k:where:columns:options:onWarning:)``.
    public func nearest(
        toEach queries: [[Float]],
        on column: String,
        k: Int = 10,
        where condition: String? = nil,
        columns: [String]? = nil,
        options: NearestSearch = NearestSearch(),
        onWarning: DatasetWarning.Handler = DatasetWarning.toStandardError
    ) async throws -> RecordBatch {
        try await search(try VectorQueries(queries), column, k, condition, columns, options, true, onWarning)
    }

    /// The same for queries that are an array of vectors (fixed-size lists of floats), such as a column of a batch.
    ///
    /// - Throws: also `invalidArgument` for an array of something else, or with a null.
    public func nearest(
        toEach queries: ArrowArray,
        on column: String,
        k: Int = 10,
        where condition: String? = nil,
        columns: [String]? = nil,
        options: NearestSearch = NearestSearch(),
        onWarning: DatasetWarning.Handler = DatasetWarning.toStandardError
    ) async throws -> RecordBatch {
        try await search(try VectorQueries(queries), column, k, condition, columns, options, true, onWarning)
    }

    /// The search behind all forms, for callers that have their queries packed.
    ///
    /// - Parameter isBatch: Whether the result says which query a row is near to.
    package func search(
        _ queries: VectorQueries,
        _ column: String,
        _ k: Int,
        _ condition: String?,
        _ columns: [String]?,
        _ options: NearestSearch,
        _ isBatch: Bool,
        _ onWarning: DatasetWarning.Handler
    ) async throws -> RecordBatch {
        let vectors = try VectorColumn(column, of: table.manifest.schema)
        let filter = try condition.map { text throws(LanceError) in try RowFilter(text, of: table.manifest) }
        let rows = try await table.nearest(to: queries, on: vectors, try options.options(k: k), where: filter)
        for text in rows.warnings { onWarning(DatasetWarning(text, of: self)) }
        return try await table.batch(of: rows, columns: columns, isBatch: isBatch)
    }
}
