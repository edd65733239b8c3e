import LancerArrow
import LancerBytes
import LancerEncoding

/// Writes one data file from record batches.
///
/// Each leaf column collects rows until they fill a page of about 8 MiB of Arrow memory; several pages are encoded at a
/// time, in parallel, and written in a fixed order: equal input gives equal bytes. Memory stays within
/// ``FileWriteOptions/bufferedBytes`` and a few pages, whatever the number of columns.
package struct LanceFileWriter {
    private var schema: LanceSchema
    private let version: FileVersion
    private let options: FileWriteOptions
    private let columns: [LeafColumn]
    private var accumulators: [PageAccumulator]
    private var ready: [PageJob] = []
    private var file: FileAssembler
    private var globalBuffers: [ArrowBuffer] = []
    private var rowCount = 0
    private var isFinished = false

    /// Starts a file.
    ///
    /// - Throws: `unsupported` naming column, type and version when a column cannot be stored.
    package init(
        schema: LanceSchema,
        version: FileVersion,
        sink: any ByteSink,
        options: FileWriteOptions = FileWriteOptions()
    ) throws(LanceError) {
        self.schema = schema
        self.version = version
        self.options = options
        columns = try LeafColumn.columns(of: schema, version: version)
        accumulators = columns.indices.map { PageAccumulator(column: $0) }
        file = FileAssembler(sink: sink, columnCount: columns.count, checksums: options.checksums)
    }

    /// Bytes written so far; rows that wait for their page are not counted.
    package var bytesWritten: UInt64 { file.position }

    /// Arrow memory of rows that wait for their page, in bytes.
    package var bytesBuffered: Int {
        accumulators.reduce(0) { $0 + $1.sizeInBytes } + ready.reduce(0) { $0 + $1.sizeInBytes }
    }

    /// Adds rows.
    ///
    /// - Throws: `schemaMismatch` when the batch does not have the file's columns, `unsupported` and `corrupt` as the
    ///   encoders, `io` from the sink.
    package mutating func write(_ batch: RecordBatch) throws(LanceError) {
        try check(batch)
        guard batch.rowCount > 0 else { return }
        for (index, column) in columns.enumerated() {
            var array = column.encoder.path.pruned(batch.columns[column.topLevelIndex])
            if column.isBlob {
                array = try BlobEncoder.references(of: array, path: column.encoder.path) { (value) throws(LanceError) in
                    try file.writeAligned(value).offset
                }
            }
            var pages: [PageAccumulator.Page] = []
            try accumulators[index].append(array, pageBytes: options.pageBytes, to: &pages)
            for page in pages {
                let job = PageJob(page, encoder: column.encoder)
                ready.append(job)
                // Its rows are encoded while the next ones are being read; when the page is written does not depend
                // on it, so that equal input gives equal bytes.
                if options.parallelism > 1 { job.start() }
            }
        }
        rowCount += batch.rowCount
        if ready.count >= 2 * Swift.max(1, options.parallelism) { try writeReadyPages() }
        if bytesBuffered > options.bufferedBytes { try relieve() }
    }

    /// Adds a buffer of the file as a whole and returns its index; index 0 is the schema.
    package mutating func addGlobalBuffer(_ buffer: ArrowBuffer) throws(LanceError) -> Int {
        try file.writeGlobalBuffer(buffer)
        return file.globalBufferCount
    }

    /// Sets an entry of the schema's metadata, which is written last: what is only known once the rows are.
    package mutating func setMetadata(_ value: String, for key: String) { schema.metadata[key] = value }

    /// Writes what is left, the metadata and the footer. The writer must not be used afterwards.
    package mutating func finish() throws(LanceError) -> WrittenFile {
        guard !isFinished else { throw .invalidArgument("the file is finished already") }
        isFinished = true
        for index in accumulators.indices {
            flush(index)
            if ready.count >= 4 * Swift.max(1, options.parallelism) { try writeReadyPages() }
        }
        try writeReadyPages()
        let size = try file.finish(schema: schema, rowCount: rowCount, version: version)
        return WrittenFile(
            rowCount: rowCount,
            sizeInBytes: size,
            fieldIDs: columns.map(\.fieldID),
            columnIndices: columns.indices.map { Int32($0) }
        )
    }

    private func check(_ batch: RecordBatch) throws(LanceError) {
        guard !isFinished else { throw .invalidArgument("the file is finished already") }
        guard batch.columns.count == schema.fields.count else {
            throw .schemaMismatch("the file has \(schema.fields.count) columns, the batch \(batch.columns.count)")
        }
        for (index, field) in schema.fields.enumerated() {
            let column = batch.columns[index]
            guard batch.schema.fields[index].name == field.name, column.type.hasSameLayout(as: field.type) else {
                throw .schemaMismatch(
                    "column \(index) of the file is \"\(field.name)\": \(field.type), of the batch "
                        + "\"\(batch.schema.fields[index].name)\": \(column.type)"
                )
            }
            if !field.nullable, column.nullCount > 0 {
                throw .schemaMismatch("column \"\(field.name)\" is not nullable, the batch has nulls in it")
            }
        }
    }

    /// Cuts the largest columns into pages until half of the budget is free.
    private mutating func relieve() throws(LanceError) {
        let order = accumulators.indices.sorted {
            (accumulators[$1].sizeInBytes, $0) < (accumulators[$0].sizeInBytes, $1)
        }
        var held = bytesBuffered
        for index in order where held > options.bufferedBytes / 2 {
            held -= accumulators[index].sizeInBytes
            flush(index)
        }
        try writeReadyPages()
    }

    /// Makes a page of what a column has collected.
    private mutating func flush(_ index: Int) {
        var pages: [PageAccumulator.Page] = []
        accumulators[index].flush(to: &pages)
        ready += pages.map { PageJob($0, encoder: columns[index].encoder) }
    }

    /// Encodes the pages that are ready and writes them in order.
    private mutating func writeReadyPages() throws(LanceError) {
        let jobs = ready
        ready = []
        try file.write(jobs, parallel: options.parallelism > 1)
    }
}

extension ArrowType {
    /// Whether arrays of both types have the same buffers and meaning; names of list items, nullability and metadata of
    /// children are left out of account, names of struct fields are not.
    func hasSameLayout(as other: ArrowType) -> Bool {
        switch (self, other) {
        case (.list(let left), .list(let right)), (.largeList(let left), .largeList(let right)),
            (.map(let left, _), .map(let right, _)):
            return left.type.hasSameLayout(as: right.type)
        case (.fixedSizeList(let left, let size), .fixedSizeList(let right, let otherSize)):
            return size == otherSize && left.type.hasSameLayout(as: right.type)
        case (.structure(let left), .structure(let right)):
            return left.count == right.count
                && zip(left, right).allSatisfy { $0.name == $1.name && $0.type.hasSameLayout(as: $1.type) }
        default: return self == other
        }
    }
}
