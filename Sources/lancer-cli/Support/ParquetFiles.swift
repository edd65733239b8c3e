import Lancer
import LancerParquet

/// A Parquet file, or all of a folder, read as one table.
struct ParquetFiles {
    private let paths: [String]

    /// - Throws: `notFound` for a folder without Parquet files.
    init(_ path: String) throws(LanceError) {
        if case .directory = PathKind(path) {
            paths = Self.list(path)
            guard !paths.isEmpty else { throw LanceError(.notFound, "\(path): no Parquet file in this directory") }
        } else {
            paths = [path]
        }
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
    func reader(columns: [String]?) throws -> any RecordBatchReader {
        if paths.count == 1 { return LocatedReader(try Self.open(paths[0], columns: columns), path: name(paths[0])) }
        return try ChainedReader(paths, columns: columns)
    }

    private func name(_ path: String) -> String { path == "-" ? "standard input" : path }

    fileprivate static func open(_ path: String, columns: [String]?) throws(LanceError) -> ParquetReader {
        do throws(LanceError) {
            let file = try InputFile.rereadable(path)
            guard file.size != 0 else { throw LanceError(.truncated, "the file is empty") }
            var options = ParquetReadOptions()
            options.columns = columns
            return try ParquetReader(FileSource(file), options: options)
        } catch {
            throw error.located(file: path == "-" ? "standard input" : path)
        }
    }
}

/// Several files of one schema.
private struct ChainedReader: RecordBatchReader {
    let schema: ArrowSchema
    private var rest: ArraySlice<String>
    private var current: any RecordBatchReader
    private let columns: [String]?

    init(_ paths: [String], columns: [String]?) throws {
        let first = try ParquetFiles.open(paths[0], columns: columns)
        schema = first.schema
        current = LocatedReader(first, path: paths[0])
        rest = paths.dropFirst()
        self.columns = columns
    }

    mutating func next() throws -> RecordBatch? {
        while true {
            if let batch = try current.next() {
                return try RecordBatch(schema: schema, columns: batch.columns, rowCount: batch.rowCount)
            }
            guard let path = rest.popFirst() else { return nil }
            let reader = try ParquetFiles.open(path, columns: columns)
            let isAlike =
                reader.schema.fields.count == schema.fields.count
                && zip(reader.schema.fields, schema.fields).allSatisfy {
                    $0.name == $1.name && $0.type == $1.type && (!$0.nullable || $1.nullable)
                }
            guard isAlike else {
                throw LanceError(
                    .schemaMismatch,
                    "\(path) has other columns than the first file of its folder; convert them one by one"
                )
            }
            current = LocatedReader(reader, path: path)
        }
    }
}
