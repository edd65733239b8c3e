import Lancer
import LancerParquet

/// Copies batches to a table or file.
struct Copy {
    let mode: OutputMode
    let options: WriteOptions
    /// For a Parquet file.
    var parquet = ParquetWriteOptions()

    /// What was written.
    struct Result {
        let path: String
        let rows: Int
        /// Version of the table written; nil for a file.
        let version: UInt64?
        /// Version of the table's data files; nil for a file.
        let fileVersion: String?

        /// Prints one line to standard output.
        func show(json: Bool) throws {
            let out = standardOutput()
            if json {
                var members: [(String, JSONText)] = [("path", .string(path)), ("rows", .count(rows))]
                if let version { members.append(("version", .unsigned(version))) }
                if let fileVersion { members.append(("fileVersion", .string(fileVersion))) }
                try out.write("\(JSONText.object(members).line)\n")
            } else {
                let detail = version.map { " (version \($0), file version \(fileVersion ?? "?"))" } ?? ""
                try out.write("wrote \(rows.counted("row")) to \(path.visible)\(detail)\n")
            }
            try out.flush()
        }
    }

    /// Refuses a destination that cannot be written in this mode.
    func check(_ path: String, _ format: DataFormat) throws(LanceError) {
        if format == .lance {
            guard path != "-" else {
                throw LanceError(
                    .invalidArgument,
                    "a Lance table is a directory and cannot go to standard output; try --to arrows"
                )
            }
            if mode == .create, DataFormat.isDataset(path) {
                throw LanceError(.alreadyExists, "\(path) exists already; add --mode append or --mode overwrite")
            }
            if case .file = PathKind(path) {
                throw LanceError(.alreadyExists, "\(path) is a file; a Lance table needs a directory of its own")
            }
        } else if mode == .append {
            throw LanceError(
                .invalidArgument,
                "--mode append works for Lance tables only, \(path) would be \(format.rawValue)"
            )
        }
    }

    /// Copies everything.
    func run(_ batches: any BatchSource, to path: String, _ format: DataFormat) async throws -> Result {
        if format == .lance { return try await toDataset(path, from: batches) }
        return try await toFile(path, format, from: batches)
    }

    /// Writes a version of a table.
    func toDataset(_ path: String, from batches: any BatchSource) async throws -> Result {
        let counter = RowCounter(batches.rowsExpected)
        let reader = BlockingReader(CountedBatches(batches, counter))
        defer {
            reader.abandon()
            counter.finish()
        }
        let mode = mode
        let options = options
        let written = try await withTaskExecutorPreference(BlockingExecutor()) {
            switch mode {
            case .create: try await Dataset.create(at: path, from: reader, options: options)
            case .overwrite: try await Dataset.overwrite(at: path, from: reader, options: options)
            case .append:
                // Appending to nothing makes the table, as it does for files of other tools.
                if DataFormat.isDataset(path) {
                    try await Dataset.open(path).append(reader, options: options)
                } else {
                    try await Dataset.create(at: path, from: reader, options: options)
                }
            }
        }
        return Result(path: path, rows: counter.rows, version: written.version, fileVersion: written.fileVersion)
    }

    private func toFile(_ path: String, _ format: DataFormat, from batches: any BatchSource) async throws -> Result {
        let file = path == "-" ? nil : try OutputFile(path, overwrite: mode == .overwrite)
        let sink = file?.sink ?? standardOutput()
        let counter = RowCounter(batches.rowsExpected)
        defer { counter.finish() }
        var source = CountedBatches(batches, counter)
        let writer = try FormatWriter(format, schema: source.schema, sink: sink, parquet: parquet)
        while let batch = try await source.next() { try writer.write(batch) }
        try writer.finish()
        try sink.flush()
        try file?.commit()
        return Result(path: path, rows: counter.rows, version: nil, fileVersion: nil)
    }
}

/// Counts rows and shows progress.
private final class RowCounter: @unchecked Sendable {
    // Safe to share: advanced by the one task that pulls batches, read after that task has ended.
    private(set) var rows = 0
    private var progress: Progress

    init(_ rowsExpected: Int?) { progress = Progress("wrote", of: rowsExpected) }

    func add(_ batch: RecordBatch) {
        rows += batch.rowCount
        progress.advance(rows: batch.rowCount, bytes: batch.sizeInBytes)
    }

    func finish() { progress.finish() }
}

private struct CountedBatches: BatchSource {
    private var base: any BatchSource
    private let counter: RowCounter

    init(_ base: any BatchSource, _ counter: RowCounter) {
        self.base = base
        self.counter = counter
    }

    var schema: ArrowSchema { base.schema }

    mutating func next() async throws -> RecordBatch? {
        guard let batch = try await base.next() else { return nil }
        counter.add(batch)
        return batch
    }
}
