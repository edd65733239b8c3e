import Lancer
import LancerParquet

/// Parquet files, or all of a folder, read as one table.
struct ParquetFiles {
    private let files: [PartitionedFile]
    /// Columns that the names of folders say.
    private let partitions: [ArrowField]

    /// - Throws: `notFound` for a folder without Parquet files, `schemaMismatch` for folders that do not fit each other.
    init(_ paths: [String]) throws(LanceError) {
        var files: [PartitionedFile] = []
        for path in paths {
            guard case .directory = PathKind(path) else {
                files.append(PartitionedFile(path: path))
                continue
            }
            let listed = try PartitionFolders.files(path)
            guard !listed.isEmpty else { throw LanceError(.notFound, "\(path): no Parquet file in this directory") }
            files.append(contentsOf: listed)
        }
        self.files = files
        partitions = try PartitionFolders.fields(files)
    }

    /// Names and types of all columns.
    var schema: ArrowSchema {
        get throws { try reader(columns: nil).schema }
    }

    /// The Parquet files of a folder by name; hidden files and those named with `_` are other tools' notes.
    static func direct(_ path: String) -> [String] {
        directoryEntries(path).filter { name in
            guard let first = name.first, first != ".", first != "_" else { return false }
            let tail = DataFormat.pathExtension(name)?.lowercased()
            return tail == "parquet" || tail == "pq"
        }.map { "\(path)/\($0)" }
    }

    /// Whether a folder has Parquet files, or folders named `column=value` for them.
    static func isFolder(_ path: String) -> Bool { !direct(path).isEmpty || PartitionFolders.areIn(path) }

    /// Rows of all files, by their footers.
    var rowCount: Int {
        get throws {
            var total = 0
            for file in files { total += Int(clamping: try Self.open(file.path, columns: nil).metadata.rowCount) }
            return total
        }
    }

    /// All rows, file after file.
    ///
    /// - Parameter columns: Columns to read; nil for all.
    func reader(columns: [String]?) throws -> any RecordBatchReader { try counted(columns: columns).reader }

    /// All rows, file after file, and how many they are.
    ///
    /// - Parameter wanted: How many rows will be looked at, where that is known.
    func counted(columns: [String]?, wanted: Int? = nil) throws -> (reader: any RecordBatchReader, rows: Int) {
        if files.count == 1, partitions.isEmpty {
            let path = files[0].path
            let reader = try Self.open(path, columns: columns, wanted: wanted)
            return (LocatedReader(reader, path: name(path)), Int(clamping: reader.metadata.rowCount))
        }
        let reader = try ChainedReader(files, partitions, columns: columns)
        return (reader, reader.rowCount)
    }

    private func name(_ path: String) -> String { path == "-" ? "standard input" : path }

    fileprivate static func open(
        _ path: String,
        columns: [String]?,
        wanted: Int? = nil
    ) throws(LanceError) -> ParquetReader {
        do throws(LanceError) {
            let file = try InputFile.rereadable(path)
            guard file.size != 0 else { throw LanceError(.truncated, "the file is empty") }
            var options = ParquetReadOptions()
            options.columns = columns
            if let wanted { options.batchRows = min(options.batchRows, max(wanted, 1)) }
            return try ParquetReader(FileSource(file), options: options)
        } catch {
            throw error.located(file: path == "-" ? "standard input" : path)
        }
    }
}

/// Several files of one schema.
private struct ChainedReader: RecordBatchReader {
    private let union: SchemaUnion
    private let partitions: [ArrowField]
    private var rest: ArraySlice<PartitionedFile>
    private var current: (any RecordBatchReader)?
    private let columns: [String]?
    /// Rows of all files.
    private(set) var rowCount: Int

    /// Looks at all footers, so that a misfit is found before anything is written.
    init(_ files: [PartitionedFile], _ partitions: [ArrowField], columns: [String]?) throws {
        var union: SchemaUnion?
        rowCount = 0
        for file in files {
            let (reader, rows) = try Self.open(file, partitions, columns)
            rowCount += rows
            if union == nil {
                union = SchemaUnion(reader.schema)
            } else {
                try union?.add(reader.schema, path: file.path)
            }
        }
        guard let union else { throw LanceError(.invalidArgument, "there is no Parquet file") }
        self.union = union
        self.partitions = partitions
        rest = files[...]
        self.columns = columns
    }

    /// A file with what its folders say, and how many rows it has.
    private static func open(
        _ file: PartitionedFile,
        _ partitions: [ArrowField],
        _ columns: [String]?
    ) throws -> (any RecordBatchReader, rows: Int) {
        if partitions.isEmpty {
            let reader = try ParquetFiles.open(file.path, columns: columns)
            return (reader, Int(clamping: reader.metadata.rowCount))
        }
        let stored = try ParquetFiles.open(file.path, columns: nil).schema
        let added = partitions.filter { stored.index(of: $0.name) == nil }.map(\.name)
        let reader = try ParquetFiles.open(file.path, columns: columns?.filter { !added.contains($0) })
        let rows = Int(clamping: reader.metadata.rowCount)
        let all = PartitionReader(reader, file, partitions)
        return (columns == nil ? all : try SelectedReader(all, columns ?? []), rows)
    }

    var schema: ArrowSchema { union.schema }

    mutating func next() throws -> RecordBatch? {
        while true {
            if let batch = try current?.next() { return try union.adopt(batch) }
            guard let file = rest.popFirst() else { return nil }
            current = LocatedReader(try Self.open(file, partitions, columns).0, path: file.path)
        }
    }
}

/// Some columns of a reader, in the order named.
private struct SelectedReader: RecordBatchReader {
    let schema: ArrowSchema
    private var base: any RecordBatchReader
    private let indices: [Int]

    init(_ base: any RecordBatchReader, _ columns: [String]) throws(LanceError) {
        var indices: [Int] = []
        for name in columns {
            guard let index = base.schema.index(of: name) else {
                throw LanceError(.notFound, "there is no column \"\(name)\"")
            }
            indices.append(index)
        }
        self.base = base
        self.indices = indices
        schema = ArrowSchema(indices.map { base.schema.fields[$0] }, metadata: base.schema.metadata)
    }

    mutating func next() throws -> RecordBatch? {
        guard let batch = try base.next() else { return nil }
        return try RecordBatch(schema: schema, columns: indices.map { batch.columns[$0] }, rowCount: batch.rowCount)
    }
}
