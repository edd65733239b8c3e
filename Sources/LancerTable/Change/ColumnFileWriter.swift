import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage

/// Writes a data file with further columns of a fragment that is there already.
///
/// Given are the values of the live rows. A file has values for deleted rows, too: those of a live neighbour, as the
/// reference writes them, so that columns without nulls stay so.
final class ColumnFileWriter {
    private let version: FileVersion
    private let schema: LanceSchema
    private let deleted: DeletionVector?
    private let rowCount: Int
    private let name = FragmentWriter.fileName()
    private let sink: any ObjectSink
    private var writer: LanceFileWriter
    /// Rows written, deleted ones counted.
    private var position = 0
    private var liveCount = 0
    private var last: RecordBatch?

    /// Most rows handed on at a time, so that a long run of deleted rows takes no memory.
    private static let chunkRows = 1 << 16

    /// - Throws: `unsupported` for a column that cannot be stored, `io`.
    init(
        _ schema: LanceSchema,
        version: FileVersion,
        rowCount: Int,
        deleted: DeletionVector?,
        _ store: any ObjectStore
    ) throws(LanceError) {
        self.schema = schema
        self.version = version
        self.rowCount = rowCount
        self.deleted = deleted
        sink = try store.create("\(TableFiles.dataDirectory)/\(name)")
        do throws(LanceError) {
            writer = try LanceFileWriter(schema: schema, version: version, sink: sink)
        } catch {
            sink.cancel()
            throw error
        }
    }

    /// Path of the file below the table's root.
    var path: String { "\(TableFiles.dataDirectory)/\(name)" }

    /// Live rows that are still to be given.
    var missingRows: Int { rowCount - (deleted?.count ?? 0) - liveCount }

    /// Writes the values of the next live rows.
    ///
    /// - Throws: `invalidArgument` for more rows than there are, `schemaMismatch`, `io`.
    func write(_ batch: RecordBatch) throws(LanceError) {
        guard batch.rowCount > 0 else { return }
        guard batch.rowCount <= missingRows else {
            throw .invalidArgument("\(batch.rowCount) rows are given, \(missingRows) are missing")
        }
        liveCount += batch.rowCount
        last = batch.slice((batch.rowCount - 1)..<batch.rowCount)
        guard let deleted else { return try put(batch) }
        let end = deleted.offset(ofLiveRow: liveCount - 1) + 1
        if end - position == batch.rowCount { return try put(batch) }
        var rows: [Int] = []
        var next = 0
        for range in deleted.liveRanges(in: position..<end) {
            var offset = position + rows.count
            while offset < range.upperBound {
                rows.append(next)
                if offset >= range.lowerBound { next += 1 }
                offset += 1
                if rows.count == Self.chunkRows {
                    try put(try batch.gather(rows))
                    rows = []
                }
            }
        }
        if !rows.isEmpty { try put(try batch.gather(rows)) }
    }

    private func put(_ batch: RecordBatch) throws(LanceError) {
        try writer.write(batch)
        position += batch.rowCount
    }

    /// Closes the file.
    ///
    /// - Throws: `invalidArgument` when rows are missing, `io`.
    func finish() throws(LanceError) -> DataFile {
        guard missingRows == 0 else { throw .invalidArgument("the values of \(missingRows) rows are missing") }
        while position < rowCount {
            let count = Swift.min(Self.chunkRows, rowCount - position)
            if let last {
                try put(try last.gather([Int](repeating: 0, count: count)))
            } else {
                // No row of the fragment lives.
                let arrays = schema.fields.map { ArrowArray.nulls(type: $0.type, length: count) }
                try put(RecordBatch(unchecked: schema.arrowSchema, arrays, rowCount: count))
            }
        }
        let written = try writer.finish()
        try sink.finish()
        return DataFile(
            path: name,
            fieldIDs: written.fieldIDs,
            columnIndices: written.columnIndices,
            majorVersion: UInt32(version.numbers.major),
            minorVersion: UInt32(version.numbers.minor),
            sizeInBytes: written.sizeInBytes
        )
    }

    /// Throws the file away.
    func cancel() { sink.cancel() }
}
