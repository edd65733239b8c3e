import LancerArrow
import LancerBytes

extension Dataset {
    /// Number of rows, deleted ones not counted. Reads nothing: the manifest knows.
    public func countRows() async throws -> Int {
        throw LanceError(.unsupported, "counting is not there yet")
    }

    /// The rows in order, as a sequence of batches.
    ///
    /// - Parameters:
    ///   - columns: Names of the columns wanted, in the order wanted; `a.b` names a field of a struct. Nil for all.
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
        throw LanceError(.unsupported, "scanning is not there yet")
    }

    /// The rows with the given numbers.
    ///
    /// - Parameters:
    ///   - rows: Row numbers, 0 for the first row that ``scan(columns:offset:limit:batchRows:)`` gives. Any order,
    ///     repeats allowed; the result keeps the order.
    ///   - columns: As for ``scan(columns:offset:limit:batchRows:)``.
    /// - Throws: `invalidArgument` for a row number outside the table, `notFound` for a column that does not exist,
    ///   `corrupt`, `truncated`, `io`.
    public func take(_ rows: [Int], columns: [String]? = nil) async throws -> RecordBatch {
        throw LanceError(.unsupported, "taking rows is not there yet")
    }
}
