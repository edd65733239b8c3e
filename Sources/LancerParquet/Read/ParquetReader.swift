import LancerArrow
import LancerBytes

/// How a Parquet file is read.
package struct ParquetReadOptions: Sendable {
    /// Columns of the table to read, in this order; nil for all.
    package var columns: [String]?
    /// Most rows of a batch; wide rows make smaller ones.
    package var batchRows = 1 << 20
    /// What the decoded batch may take, in bytes, about; a batch ends earlier where rows are large.
    package var batchBytes = 96 << 20
    /// Batches of more than 65,536 rows are made as far as they take no more than this, in bytes, about.
    package var largeBatchBytes = 64 << 20
    /// What one column of such a batch may take: larger batches would keep those behind waiting.
    package var largeColumnBytes = 10 << 20
    /// Whether columns are decoded on several threads; the source must allow that.
    package var isParallel = true
    /// Limits for bytes from outside.
    package var limits = DecodeLimits.standard

    /// The standard options.
    package init() {}
}

/// Reads a Parquet file, some rows at a time.
///
/// Row groups are streamed: of each column only the page being read is held, and what was decoded for the next batch.
package struct ParquetReader: RecordBatchReader {
    /// The columns read.
    package let schema: ArrowSchema
    /// The file's footer.
    package let metadata: ParquetMetadata
    private let source: any ByteSource
    private let options: ParquetReadOptions
    private let columns: [ColumnNode]
    private let leaves: [LeafColumn]
    private let mostRows: Int
    private var batchRows = 1
    private var nextGroup = 0
    private var rowsLeft = 0
    private var readers: [LeafReader] = []
    private var failure: LanceError?

    /// Reads the footer of `source`.
    ///
    /// - Throws: `corrupt`, `truncated`; `unsupported` for encrypted files; `notFound` for unknown columns.
    package init(_ source: any ByteSource, options: ParquetReadOptions = ParquetReadOptions()) throws(LanceError) {
        let metadata = try ParquetMetadata.read(source, limits: options.limits)
        try self.init(source, metadata: metadata, options: options)
    }

    /// Reads a file whose footer is known.
    package init(
        _ source: any ByteSource,
        metadata: ParquetMetadata,
        options: ParquetReadOptions = ParquetReadOptions()
    ) throws(LanceError) {
        self.source = source
        self.metadata = metadata
        self.options = options
        if metadata.isEncrypted { throw .unsupported("the Parquet file is encrypted; Lancer cannot decrypt") }
        let hint = try ArrowSchemaHint.read(metadata.keyValues)
        let tree = try SchemaTreeReader.read(metadata.schema, hint: hint, limits: options.limits)
        var total: Int64 = 0
        for (index, group) in metadata.rowGroups.enumerated() {
            guard group.columns.count == tree.leafCount else {
                throw .corrupt("row group \(index) has \(group.columns.count) columns, the schema \(tree.leafCount)")
            }
            guard group.rowCount >= 0 else { throw .corrupt("row group \(index) has \(group.rowCount) rows") }
            total = try total.adding(group.rowCount, "rows of a Parquet file")
        }
        guard total == metadata.rowCount else {
            throw .corrupt("the row groups have \(total) rows, the Parquet footer says \(metadata.rowCount)")
        }
        columns = try Self.chosen(tree.columns, options.columns)
        leaves = columns.flatMap(\.leaves)
        let widest = columns.map { $0.field.type.fixedItems }.max() ?? 1
        mostRows = max(1, min(options.batchRows, (1 << 24) / max(widest, 1)))
        var tableMetadata = hint?.metadata ?? [:]
        for (key, value) in metadata.keyValues where key != ArrowSchemaHint.key { tableMetadata[key] = value }
        schema = ArrowSchema(columns.map(\.field), metadata: tableMetadata)
    }

    private static func chosen(_ all: [ColumnNode], _ names: [String]?) throws(LanceError) -> [ColumnNode] {
        guard let names else { return all }
        var result: [ColumnNode] = []
        for name in names {
            guard let column = all.first(where: { $0.field.name == name }) else {
                let known = all.prefix(20).map(\.field.name).joined(separator: ", ")
                throw LanceError(.notFound, "there is no column \"\(name)\"; the columns are \(known)")
            }
            result.append(column)
        }
        return result
    }

    /// The next rows, or nil at the end. After an error every call throws it again.
    ///
    /// - Throws: `truncated`, `corrupt`, `unsupported`, `limitExceeded`, and what the source throws.
    package mutating func next() throws(LanceError) -> RecordBatch? {
        if let failure { throw failure }
        do throws(LanceError) {
            while rowsLeft == 0 {
                if nextGroup > 0 { try finishGroup() }
                guard nextGroup < metadata.rowGroups.count else { return nil }
                try openGroup()
            }
            return try nextBatch()
        } catch {
            let located = nextGroup == 0 ? error : error.located(part: "row group \(nextGroup - 1)")
            failure = located
            throw located
        }
    }

    private mutating func openGroup() throws(LanceError) {
        let group = metadata.rowGroups[nextGroup]
        nextGroup += 1
        rowsLeft = try Int(checked: group.rowCount, "rows of a row group")
        let share = options.batchBytes / max(leaves.count, 1)
        let budget = LeafReader.Budget(
            bytes: min(max(share, 1 << 16), 24 << 20),
            entries: min(max(share / 4, 1 << 14), 8 << 20)
        )
        // Rows of a narrow table are worth little work each: fewer, larger batches keep all cores at it longer.
        let widths = leaves.map { rowBytes(of: $0, in: group) }
        let width = max(widths.reduce(0, +), 1)
        let fitting = min(options.largeBatchBytes / width, options.largeColumnBytes / max(widths.max() ?? 1, 1))
        // Nulls take no bytes in the file: what a thousand columns of them become is known by their number only.
        batchRows = max(1, min(mostRows, max(min(1 << 16, 2 * options.largeBatchBytes / width), fitting)))
        let readAhead = min(max((64 << 20) / max(leaves.count, 1), 1 << 14), 1 << 20)
        readers = []
        if rowsLeft == 0 { return }
        for leaf in leaves {
            do throws(LanceError) {
                readers.append(
                    try LeafReader(
                        source,
                        group.columns[leaf.index],
                        leaf: leaf,
                        rows: rowsLeft,
                        budget: budget,
                        readAhead: readAhead,
                        allowance: PageCompression.allowance(columns: leaves.count)
                    )
                )
            } catch {
                throw error.located(part: "column \"\(leaf.path)\"")
            }
        }
    }

    /// About how many bytes a row of a column takes once decoded, by what its metadata says.
    private func rowBytes(of leaf: LeafColumn, in group: RowGroup) -> Int {
        let chunk = group.columns[leaf.index]
        let count = Double(min(max(chunk.valueCount, 1), 1 << 40))
        let stored = Double(min(max(chunk.uncompressedSize, 0), 1 << 40)) / count + 4
        let width = leaf.type == .bool ? 0.2 : leaf.type.byteWidth.map { Double(min($0, 1 << 20)) } ?? stored
        return Int(count / Double(max(group.rowCount, 1)) * min(width, 0x1p40) + 1)
    }

    private mutating func finishGroup() throws(LanceError) {
        for reader in readers {
            do throws(LanceError) {
                try reader.finish()
            } catch {
                throw error.located(part: "column \"\(reader.leaf.path)\"")
            }
        }
        readers = []
    }

    private mutating func nextBatch() throws(LanceError) -> RecordBatch {
        guard !readers.isEmpty else {
            // No columns: the rows are only counted.
            defer { rowsLeft = 0 }
            return try RecordBatch(schema: schema, columns: [], rowCount: rowsLeft)
        }
        let wanted = min(batchRows, rowsLeft)
        let group = metadata.rowGroups[nextGroup - 1]
        let readers = ParallelReaders(readers, sizes: leaves.map { group.columns[$0.index].uncompressedSize })
        let rows =
            try readers.each(isParallel: options.isParallel) { (reader, _) throws(LanceError) in
                try reader.prepare(wanted)
            }.min() ?? 0
        var chunks: [Int: LeafChunk] = [:]
        for reader in self.readers { chunks[reader.leaf.index] = try reader.take(rows) }
        let assembler = RecordAssembler(chunks)
        let nodes = columns
        let arrays = try Parallel.map(nodes.count, isParallel: options.isParallel) { (index) throws(LanceError) in
            try assembler.column(nodes[index])
        }
        rowsLeft -= rows
        return try RecordBatch(schema: schema, columns: arrays, rowCount: rows)
    }
}

extension ArrowType {
    /// Values below one value where lists have a fixed size, at least 1.
    fileprivate var fixedItems: Int {
        switch self {
        case .fixedSizeList(let item, let size):
            let (product, overflow) = item.type.fixedItems.multipliedReportingOverflow(by: max(size, 1))
            return overflow ? Int.max : product
        default: return children.map(\.type.fixedItems).max() ?? 1
        }
    }
}

/// Runs the readers of a row group side by side.
private struct ParallelReaders: @unchecked Sendable {
    // Safe to send: each reader is used by one task at a time, and nobody else has it meanwhile.
    private let readers: [LeafReader]

    /// The largest columns go first, so that none of them is left for the end.
    init(_ readers: [LeafReader], sizes: [Int64]) {
        self.readers = readers.indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }.map { readers[$0] }
    }

    func each<T: Sendable>(
        isParallel: Bool,
        _ body: @escaping @Sendable (LeafReader, Int) throws(LanceError) -> T
    ) throws(LanceError) -> [T] {
        try Parallel.map(readers.count, isParallel: isParallel) { (index) throws(LanceError) in
            do throws(LanceError) {
                return try body(readers[index], index)
            } catch {
                throw error.located(part: "column \"\(readers[index].leaf.path)\"")
            }
        }
    }
}
