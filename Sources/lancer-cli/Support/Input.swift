import Lancer
import LancerInterchange

/// A table opened for reading.
enum Input {
    case dataset(Dataset)
    case reader(any RecordBatchReader)
    case parquet(ParquetFiles)
    case several(SeveralInputs)

    /// Opens all of `paths`, in which patterns stand for the files that fit, as one table.
    static func open(_ paths: [String], _ options: SourceOption, version: VersionSelector?) async throws -> Input {
        let paths = try InputPaths.expanded(paths)
        if paths.count == 1 { return try await open(paths[0], options, version: version) }
        if version != nil {
            throw LanceError(.invalidArgument, "--version, --tag and --as-of are for one table, not for several inputs")
        }
        if paths.contains("-") {
            throw LanceError(.invalidArgument, "standard input cannot be one of several inputs")
        }
        let formats = try paths.map { try DataFormat.of($0, option: options.from, optionName: "--from") }
        if formats.allSatisfy({ $0 == .parquet }), options.schema == nil {
            for path in paths { if case .missing = PathKind(path) { throw Self.missing(path) } }
            return .parquet(try ParquetFiles(paths))
        }
        return .several(try await SeveralInputs(paths, options))
    }

    private static func missing(_ path: String) -> LanceError {
        LanceError(.notFound, "\(path): no such file or directory; check the path")
    }

    /// Names and types of all columns.
    var schema: ArrowSchema {
        get throws {
            switch self {
            case .dataset(let dataset): dataset.schema
            case .reader(let reader): reader.schema
            case .parquet(let files): try files.schema
            case .several(let inputs): inputs.schema
            }
        }
    }

    /// The number of rows, by reading all of them where there is no other way.
    var rowCount: Int {
        get async throws {
            switch self {
            case .dataset(let dataset): return try await dataset.countRows()
            case .parquet(let files): return try files.rowCount
            case .several(let inputs): return try await inputs.rowCount
            case .reader(var reader):
                var total = 0
                while let batch = try reader.next() { total += batch.rowCount }
                return total
            }
        }
    }

    /// The number of rows, or of those for which a condition is true.
    func rowCount(where condition: String?) async throws -> Int {
        guard let condition else { return try await rowCount }
        if case .dataset(let dataset) = self { return try await dataset.countRows(where: condition) }
        var rows = try await batches(columns: nil, where: condition, offset: 0, limit: nil)
        var total = 0
        while let batch = try await rows.next() { total += batch.rowCount }
        return total
    }

    /// Opens what is at `path`; `-` is standard input.
    static func open(_ path: String, _ options: SourceOption, version: VersionSelector?) async throws -> Input {
        if path != "-", case .missing = PathKind(path) {
            throw Self.missing(path)
        }
        let format = try DataFormat.of(path, option: options.from, optionName: "--from")
        if format == .lance {
            if path == "-" {
                throw LanceError(.invalidArgument, "a Lance table is a directory and cannot come from standard input")
            }
            if case .file = PathKind(path) {
                throw LanceError(
                    .invalidArgument,
                    "\(path) is a single data file; name the directory of its table, or use lancer inspect \(path)"
                )
            }
            return .dataset(try await Dataset.open(path, at: version ?? .latest))
        }
        if version != nil {
            throw LanceError(
                .invalidArgument,
                "--version, --tag and --as-of choose the version of a Lance table; \(path) is none"
            )
        }
        if format == .parquet, options.schema == nil { return .parquet(try ParquetFiles([path])) }
        let schema = try options.schema.map { text throws(LanceError) in try SchemaText.parse(text) }
        return .reader(try FormatReader.open(path, format, schema: schema))
    }

    /// Opens a source for a table of `schema`. A text file, which does not say its types, gets the table's for the columns
    /// that it has; a pipe cannot be read twice, so types are guessed there unless `--schema` gives them.
    static func open(_ path: String, _ options: SourceOption, fitting schema: ArrowSchema) async throws -> Input {
        let guessed = try await open(path, options, version: nil)
        guard case .reader(let reader) = guessed, options.schema == nil, case .file = PathKind(path) else {
            return guessed
        }
        let format = try DataFormat.of(path, option: options.from, optionName: "--from")
        guard [.csv, .tsv, .jsonl].contains(format) else { return guessed }
        let fields = reader.schema.fields.map { field in schema.index(of: field.name).map { schema.fields[$0] } ?? field
        }
        return .reader(try FormatReader.open(path, format, schema: ArrowSchema(fields)))
    }

    /// The rows wanted, column by column and in order.
    ///
    /// - Parameters:
    ///   - condition: Which rows; `offset` and `limit` count those.
    ///   - options: Vectors to add and to make.
    func batches(
        columns: [String]?,
        where condition: String? = nil,
        offset: Int,
        limit: Int?,
        options: SourceOption? = nil
    ) async throws -> any BatchSource {
        var source: any BatchSource
        switch self {
        case .dataset(let dataset):
            source = ScanBatches(try dataset.scan(columns: columns, where: condition, offset: offset, limit: limit))
        case .parquet(let files):
            let (reader, rows) = try files.counted(
                columns: condition == nil ? columns : nil,
                wanted: condition == nil ? limit.map { min($0, 1 << 20) + min(offset, 1 << 20) } : nil
            )
            source = ReaderBatches(reader, rowsExpected: rows)
            if let condition { source = try FilteredBatches(source, where: condition) }
            if let columns { source = try ProjectedBatches(source, columns: columns) }
            if offset > 0 || limit != nil { source = WindowedBatches(source, offset: offset, limit: limit) }
        case .reader(let reader):
            source = ReaderBatches(reader)
            if let condition { source = try FilteredBatches(source, where: condition) }
            if let columns { source = try ProjectedBatches(source, columns: columns) }
            if offset > 0 || limit != nil { source = WindowedBatches(source, offset: offset, limit: limit) }
        case .several(let inputs):
            source = inputs.batches()
            if let condition { source = try FilteredBatches(source, where: condition) }
            if let columns { source = try ProjectedBatches(source, columns: columns) }
            if offset > 0 || limit != nil { source = WindowedBatches(source, offset: offset, limit: limit) }
        }
        if let made = options?.vector, !made.isEmpty { source = try await VectorizedBatches(source, made) }
        guard let vectors = options?.vectors, !vectors.isEmpty else { return source }
        // Vectors belong to the rows that are written, whatever they were chosen by.
        let added = try vectors.map { ($0, try FormatReader.open($0.path, .npy, schema: nil)) }
        return try VectorBatches(source, added)
    }
}
