import Lancer
import LancerInterchange

/// A table opened for reading.
enum Input {
    case dataset(Dataset)
    case reader(any RecordBatchReader)
    case parquet(ParquetFiles)

    /// Opens what is at `path`; `-` is standard input.
    static func open(_ path: String, _ options: SourceOption, version: VersionSelector?) async throws -> Input {
        if path != "-", case .missing = PathKind(path) {
            throw LanceError(.notFound, "\(path): no such file or directory; check the path")
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
        if format == .parquet, options.schema == nil { return .parquet(try ParquetFiles(path)) }
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
    func batches(columns: [String]?, offset: Int, limit: Int?, vectors: [VectorFile]) async throws -> any BatchSource {
        var source: any BatchSource
        switch self {
        case .dataset(let dataset):
            source = ScanBatches(try dataset.scan(columns: columns, offset: offset, limit: limit))
        case .parquet(let files):
            source = ReaderBatches(try files.reader(columns: columns))
            if let columns { source = try ProjectedBatches(source, columns: columns) }
            if offset > 0 || limit != nil { source = WindowedBatches(source, offset: offset, limit: limit) }
        case .reader(let reader):
            source = ReaderBatches(reader)
            if let columns { source = try ProjectedBatches(source, columns: columns) }
            if offset > 0 || limit != nil { source = WindowedBatches(source, offset: offset, limit: limit) }
        }
        if vectors.isEmpty { return source }
        // Vectors belong to the rows that are written, whatever they were chosen by.
        let added = try vectors.map { ($0, try FormatReader.open($0.path, .npy, schema: nil)) }
        return try VectorBatches(source, added)
    }
}
