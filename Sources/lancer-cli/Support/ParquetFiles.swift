import Lancer
import LancerParquet

/// Parquet files, or all of a folder, read as one table.
struct ParquetFiles {
    private let paths: [String]

    /// - Throws: `notFound` for a folder without Parquet files.
    init(_ paths: [String]) throws(LanceError) {
        var files: [String] = []
        for path in paths {
            guard case .directory = PathKind(path) else {
                files.append(path)
                continue
            }
            let listed = Self.list(path)
            guard !listed.isEmpty else { throw LanceError(.notFound, "\(path): no Parquet file in this directory") }
            files.append(contentsOf: listed)
        }
        self.paths = files
    }

    /// Names and types of all columns.
    var schema: ArrowSchema {
        get throws { try reader(columns: nil).schema }
    }

    /// The Parquet files of a folder by name; hidden files and those named with `_` are other tools' notes.
    static func list(_ path: String) -> [String] {
        directoryEntries(path).filter { name in
            guard let first = name.first, first != ".", first != "_" else { return false }
            let tail = DataFormat.pathExtension(name)?.lowercased()
            return tail == "parquet" || tail == "pq"
        }.map { "\(path)/\($0)" }
    }

    /// Rows of all files, by their footers.
    var rowCount: Int {
        get throws {
            var total = 0
            for path in paths { total += Int(clamping: try Self.open(path, columns: nil).metadata.rowCount) }
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
        if paths.count == 1 {
            let reader = try Self.open(paths[0], columns: columns, wanted: wanted)
            return (LocatedReader(reader, path: name(paths[0])), Int(clamping: reader.metadata.rowCount))
        }
        let reader = try ChainedReader(paths, columns: columns)
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
    private var rest: ArraySlice<String>
    private var current: (any RecordBatchReader)?
    private let columns: [String]?
    /// Rows of all files.
    private(set) var rowCount: Int

    /// Looks at all footers, so that a misfit is found before anything is written.
    init(_ paths: [String], columns: [String]?) throws {
        var union: SchemaUnion?
        rowCount = 0
        for path in paths {
            let reader = try ParquetFiles.open(path, columns: columns)
            let schema = reader.schema
            rowCount += Int(clamping: reader.metadata.rowCount)
            if union == nil { union = SchemaUnion(schema) } else { try union?.add(schema, path: path) }
        }
        guard let union else { throw LanceError(.invalidArgument, "there is no Parquet file") }
        self.union = union
        rest = paths[...]
        self.columns = columns
    }

    var schema: ArrowSchema { union.schema }

    mutating func next() throws -> RecordBatch? {
        while true {
            if let batch = try current?.next() { return try union.adopt(batch) }
            guard let path = rest.popFirst() else { return nil }
            current = LocatedReader(try ParquetFiles.open(path, columns: columns), path: path)
        }
    }
}
