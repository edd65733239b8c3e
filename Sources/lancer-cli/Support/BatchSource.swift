import Lancer

/// Batches that may have to be waited for: a scan, or a file read as it goes.
protocol BatchSource {
    /// The schema of every batch.
    var schema: ArrowSchema { get }
    /// How many rows there will be, where that is known; for people who wait.
    var rowsExpected: Int? { get }
    /// The next batch, or nil at the end.
    mutating func next() async throws -> RecordBatch?
}

extension BatchSource {
    var rowsExpected: Int? { nil }
}

/// Batches of a reader.
struct ReaderBatches: BatchSource {
    private var reader: any RecordBatchReader
    let rowsExpected: Int?

    init(_ reader: any RecordBatchReader, rowsExpected: Int? = nil) {
        self.reader = reader
        self.rowsExpected = rowsExpected
    }

    var schema: ArrowSchema { reader.schema }
    mutating func next() async throws -> RecordBatch? { try reader.next() }
}

/// Batches of a scan.
struct ScanBatches: BatchSource {
    let schema: ArrowSchema
    private var iterator: Scan.Iterator

    init(_ scan: Scan) {
        schema = scan.schema
        iterator = scan.makeAsyncIterator()
    }

    mutating func next() async throws -> RecordBatch? { try await iterator.next() }
}

/// One batch.
struct SingleBatch: BatchSource {
    let schema: ArrowSchema
    private var batch: RecordBatch?

    init(_ batch: RecordBatch) {
        schema = batch.schema
        self.batch = batch
    }

    mutating func next() async throws -> RecordBatch? {
        defer { batch = nil }
        return batch
    }
}

/// Some columns of another source, in the order named.
struct ProjectedBatches: BatchSource {
    let schema: ArrowSchema
    private var base: any BatchSource
    private let indices: [Int]

    /// - Throws: `notFound` for a name that is not there.
    init(_ base: any BatchSource, columns: [String]) throws(LanceError) {
        let all = base.schema
        var indices: [Int] = []
        for name in columns {
            guard let index = all.index(of: name) else {
                let names = all.fields.prefix(20).map(\.name).joined(separator: ", ")
                throw LanceError(.notFound, "there is no column \"\(name)\"; the columns are \(names)")
            }
            guard !indices.contains(index) else {
                throw LanceError(.invalidArgument, "column \"\(name)\" is named twice in --columns")
            }
            indices.append(index)
        }
        self.base = base
        self.indices = indices
        schema = ArrowSchema(indices.map { all.fields[$0] }, metadata: all.metadata)
    }

    var rowsExpected: Int? { base.rowsExpected }

    mutating func next() async throws -> RecordBatch? {
        guard let batch = try await base.next() else { return nil }
        return try RecordBatch(schema: schema, columns: indices.map { batch.columns[$0] }, rowCount: batch.rowCount)
    }
}

/// The rows of another source from `offset` on, at most `limit`.
struct WindowedBatches: BatchSource {
    private var base: any BatchSource
    private var offset: Int
    private var limit: Int

    init(_ base: any BatchSource, offset: Int, limit: Int?) {
        self.base = base
        self.offset = offset
        self.limit = limit ?? Int.max
    }

    var schema: ArrowSchema { base.schema }
    var rowsExpected: Int? { base.rowsExpected.map { min(limit, max($0 - offset, 0)) } }

    mutating func next() async throws -> RecordBatch? {
        while limit > 0, let batch = try await base.next() {
            let skipped = min(offset, batch.rowCount)
            offset -= skipped
            let kept = min(limit, batch.rowCount - skipped)
            limit -= kept
            if kept == batch.rowCount { return batch }
            if kept > 0 { return batch.slice(skipped..<(skipped + kept)) }
        }
        return nil
    }
}

/// Another source with columns of equally long readers added.
struct VectorBatches: BatchSource {
    let schema: ArrowSchema
    private var base: any BatchSource
    private var vectors: [(file: VectorFile, reader: any RecordBatchReader, rest: [ArrowArray])]
    private var rows = 0

    /// - Throws: `schemaMismatch` when a name is taken.
    init(_ base: any BatchSource, _ added: [(VectorFile, any RecordBatchReader)]) throws {
        var fields = base.schema.fields
        vectors = []
        for (file, reader) in added {
            guard !fields.contains(where: { $0.name == file.name }) else {
                throw LanceError(
                    .schemaMismatch,
                    "--vectors: there is a column \"\(file.name)\" already; choose another name"
                )
            }
            guard let field = reader.schema.fields.first else {
                throw LanceError(.schemaMismatch, "\(file.path) holds no column")
            }
            fields.append(ArrowField(file.name, field.type, nullable: field.nullable, metadata: field.metadata))
            vectors.append((file, reader, []))
        }
        self.base = base
        schema = ArrowSchema(fields, metadata: base.schema.metadata)
    }

    var rowsExpected: Int? { base.rowsExpected }

    mutating func next() async throws -> RecordBatch? {
        guard let batch = try await base.next() else {
            for index in vectors.indices where try hasMore(index) {
                throw LanceError(.schemaMismatch, "\(vectors[index].file.path) has more than the source's \(rows) rows")
            }
            return nil
        }
        var columns = batch.columns
        for index in vectors.indices { columns.append(try take(batch.rowCount, from: index)) }
        rows += batch.rowCount
        return try RecordBatch(schema: schema, columns: columns, rowCount: batch.rowCount)
    }

    private mutating func hasMore(_ index: Int) throws -> Bool {
        if vectors[index].rest.contains(where: { $0.length > 0 }) { return true }
        while let batch = try vectors[index].reader.next() {
            if batch.rowCount > 0 { return true }
        }
        return false
    }

    private mutating func take(_ count: Int, from index: Int) throws -> ArrowArray {
        var available = vectors[index].rest.reduce(0) { $0 + $1.length }
        while available < count {
            guard let batch = try vectors[index].reader.next(), let column = batch.columns.first else {
                let path = vectors[index].file.path
                throw LanceError(.schemaMismatch, "\(path) has \(rows + available) rows, the source has more")
            }
            vectors[index].rest.append(column)
            available += column.length
        }
        if vectors[index].rest.isEmpty { return ArrowArray.empty(vectors[index].reader.schema.fields[0].type) }
        let joined = try ArrowArray.concatenating(vectors[index].rest)
        vectors[index].rest = [joined.slice(count..<joined.length)]
        return joined.slice(0..<count)
    }
}
