import LancerArrow
import LancerBytes
import LancerTable

extension Dataset {
    /// Whether rows keep their ids when they are updated or compacted. Chosen when the table is made, by
    /// ``WriteOptions/stableRowIDs``.
    public var hasStableRowIDs: Bool { table.manifest.hasStableRowIDs }

    /// Ids of rows by number: what pylance calls `_rowid`. In a table without stable row ids they say where the row is and
    /// mean something in this version only.
    ///
    /// - Parameter rows: Row numbers, 0 for the first row of a scan.
    /// - Throws: `invalidArgument` for a row number outside the table, `corrupt`, `unsupported`, `io`.
    public func rowIDs(ofRows rows: [Int]) async throws -> [UInt64] {
        try table.rowIDs(at: try await table.addresses(ofRows: rows))
    }

    /// Numbers of the rows with some ids; nil for ids that no row has any more.
    ///
    /// - Throws: `corrupt`, `unsupported`, `io`.
    public func rows(withIDs ids: [UInt64]) async throws -> [Int?] {
        let addresses = try await table.addresses(ofRowIDs: ids)
        var numbers = try await table.rowNumbers(at: addresses.compactMap { $0 }).makeIterator()
        return addresses.map { $0 == nil ? nil : numbers.next() }
    }

    /// The rows with the given ids.
    ///
    /// - Parameters:
    ///   - ids: In any order, repeats allowed; the result keeps the order.
    ///   - columns: As for ``scan(columns:offset:limit:batchRows:)``.
    /// - Throws: `notFound` for an id that no row has, and what ``take(_:columns:)`` throws.
    public func take(rowIDs ids: [UInt64], columns: [String]? = nil) async throws -> RecordBatch {
        var rows: [Int] = []
        for (id, row) in zip(ids, try await self.rows(withIDs: ids)) {
            guard let row else { throw LanceError(.notFound, "there is no row with id \(id)") }
            rows.append(row)
        }
        return try await take(rows, columns: columns)
    }
}
