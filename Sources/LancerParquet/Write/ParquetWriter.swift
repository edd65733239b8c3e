import LancerArrow
import LancerBytes

/// Writes a Parquet file, row group by row group.
///
/// Rows are encoded as they come; held are the compressed pages of the row group being written and one page a column.
/// The file is read from its end, so it is complete only after ``finish()``.
package struct ParquetWriter {
    /// The schema of all batches.
    package let schema: ArrowSchema
    /// Bytes handed to the sink so far.
    package private(set) var bytesWritten = 0
    private var sink: any ByteSink
    private let options: ParquetWriteOptions
    private let columns: ColumnWriters
    private let order: [ValueOrder]
    private var metadata = ParquetMetadata()
    private var pages: [[[WrittenPage]]] = []
    private var groupRows = 0
    private var groupBytes = 0
    private var isFinished = false

    private static let magic = Array("PAR1".utf8)
    /// Arrow memory of the rows that are encoded at once, in bytes, about.
    private static let pieceBytes = 32 << 20

    /// Starts a file.
    ///
    /// - Throws: `unsupported` for types that Parquet cannot store, `invalidArgument` for impossible options, and what
    ///   the sink throws.
    package init(
        schema: ArrowSchema,
        sink: any ByteSink,
        options: ParquetWriteOptions = ParquetWriteOptions()
    ) throws(LanceError) {
        try options.check()
        self.schema = schema
        self.sink = sink
        self.options = options
        let tree = try SchemaTreeWriter(schema)
        columns = ColumnWriters(tree.leaves.map { ColumnChunkWriter($0, options) }, options)
        order = tree.leaves.map(\.order)
        metadata.version = 2
        metadata.schema = tree.elements
        metadata.createdBy = options.createdBy
        metadata.keyValues = schema.metadata
        metadata.keyValues[ArrowSchemaHint.key] = try ArrowSchemaHint.text(schema)
        try put(ArrowBuffer(Self.magic))
    }

    private mutating func put(_ buffer: ArrowBuffer) throws(LanceError) {
        try sink.write(buffer)
        bytesWritten += buffer.count
    }

    /// Adds a batch, whose arrays must be valid.
    ///
    /// - Throws: `schemaMismatch` when the columns' types are not those of the schema or a null is where none may be,
    ///   `invalidArgument` for values that Parquet has not, and what the sink throws.
    package mutating func write(_ batch: RecordBatch) throws(LanceError) {
        guard !isFinished else { throw .invalidArgument("the Parquet file is finished") }
        guard batch.columns.map(\.type) == schema.fields.map(\.type) else {
            throw .schemaMismatch("a batch of other types than the Parquet file's")
        }
        if batch.rowCount == 0 { return }
        var arrays: [ArrowArray] = []
        for column in batch.columns { arrays.append(try column.withoutDictionaries()) }
        // Every row counts as much as the average: a group's size is a wish.
        let rowBytes = max(arrays.reduce(0) { $0 + $1.sizeInBytes } / batch.rowCount, 1)
        var row = 0
        while row < batch.rowCount {
            let room = min((options.rowGroupBytes - groupBytes) / rowBytes, options.rowGroupRows - groupRows)
            if room <= 0, groupRows > 0 {
                try finishGroup()
                continue
            }
            // Pages wait to be compressed until all columns of a piece are encoded.
            let piece = max(Self.pieceBytes / rowBytes, 1)
            let rows = row..<min(row + max(min(room, piece), 1), batch.rowCount)
            try columns.append(arrays, rows, isParallel: options.isParallel)
            groupRows += rows.count
            groupBytes += rows.count * rowBytes
            row = rows.upperBound
        }
    }

    private mutating func finishGroup() throws(LanceError) {
        var group = RowGroup()
        group.rowCount = Int64(groupRows)
        var groupPages: [[WrittenPage]] = []
        for written in try columns.finish(isParallel: options.isParallel) {
            var chunk = written.chunk
            let start = Int64(bytesWritten)
            chunk.dataPageOffset += start
            if let offset = chunk.dictionaryPageOffset { chunk.dictionaryPageOffset = offset + start }
            group.totalByteSize += chunk.uncompressedSize
            for buffer in written.buffers { try put(buffer) }
            group.columns.append(chunk)
            groupPages.append(
                written.pages.map { page in
                    var copy = page
                    copy.offset += start
                    return copy
                }
            )
        }
        metadata.rowGroups.append(group)
        metadata.rowCount += group.rowCount
        pages.append(options.writesStatistics ? groupPages : [])
        groupRows = 0
        groupBytes = 0
    }

    /// Writes the last row group, the page index and the footer; does not close the sink. Further calls do nothing.
    package mutating func finish() throws(LanceError) {
        if isFinished { return }
        if groupRows > 0 { try finishGroup() }
        isFinished = true
        try writePageIndex()
        let footer = metadata.bytes()
        guard let length = UInt32(exactly: footer.count) else {
            throw .limitExceeded("a Parquet footer of \(footer.count) bytes")
        }
        try put(footer)
        var end = BufferBuilder()
        end.append(length.littleEndian)
        end.append(contentsOf: Self.magic)
        try put(end.finish())
    }

    private mutating func writePageIndex() throws(LanceError) {
        for (group, columns) in pages.enumerated() {
            for (index, column) in columns.enumerated() {
                guard let buffer = PageIndexWriter.columnIndex(column, order[index]) else { continue }
                metadata.rowGroups[group].columns[index].columnIndex = location(buffer)
                try put(buffer)
            }
        }
        for (group, columns) in pages.enumerated() {
            for (index, column) in columns.enumerated() {
                let buffer = PageIndexWriter.offsetIndex(column)
                metadata.rowGroups[group].columns[index].offsetIndex = location(buffer)
                try put(buffer)
            }
        }
    }

    private func location(_ buffer: ArrowBuffer) -> IndexLocation {
        IndexLocation(offset: Int64(bytesWritten), length: Int32(clamping: buffer.count))
    }
}

/// The column writers of a file, run side by side.
private struct ColumnWriters: @unchecked Sendable {
    // Safe to send: each writer is used by one task at a time, and nobody else has it meanwhile.
    private let writers: [ColumnChunkWriter]
    private let options: ParquetWriteOptions

    init(_ writers: [ColumnChunkWriter], _ options: ParquetWriteOptions) {
        self.writers = writers
        self.options = options
    }

    func append(_ arrays: [ArrowArray], _ rows: Range<Int>, isParallel: Bool) throws(LanceError) {
        _ = try each(isParallel: isParallel) { (writer) throws(LanceError) -> Bool in
            try writer.append(arrays[writer.leaf.column], rows)
            return true
        }
        try compress(isParallel: isParallel)
    }

    func finish(isParallel: Bool) throws(LanceError) -> [WrittenChunk] {
        _ = try each(isParallel: isParallel) { (writer) throws(LanceError) -> Bool in
            try writer.flush()
            return true
        }
        try compress(isParallel: isParallel)
        return writers.map { $0.finish() }
    }

    /// Compresses what waits for it; pages side by side, for some columns have many more than others.
    private func compress(isParallel: Bool) throws(LanceError) {
        let pending = writers.map { $0.takePending() }
        let pages = pending.enumerated().flatMap { place, pages in pages.map { (place, $0) } }
        let finished = try Parallel.map(pages.count, isParallel: isParallel) { (index) throws(LanceError) in
            do throws(LanceError) {
                return try pages[index].1.finished(options)
            } catch {
                throw error.located(part: "column \"\(writers[pages[index].0].leaf.path)\"")
            }
        }
        var next = 0
        for (place, pages) in pending.enumerated() {
            writers[place].settle(finished[next..<(next + pages.count)])
            next += pages.count
        }
    }

    private func each<T: Sendable>(
        isParallel: Bool,
        _ body: @escaping @Sendable (ColumnChunkWriter) throws(LanceError) -> T
    ) throws(LanceError) -> [T] {
        try Parallel.map(writers.count, isParallel: isParallel) { (index) throws(LanceError) in
            do throws(LanceError) {
                return try body(writers[index])
            } catch {
                throw error.located(part: "column \"\(writers[index].leaf.path)\"")
            }
        }
    }
}
