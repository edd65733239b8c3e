import Lancer
import LancerInterchange
import LancerParquet

/// Writes one of the formats that are a single file.
struct FormatWriter {
    /// Writes a batch of the schema.
    let write: (RecordBatch) throws -> Void
    /// Writes what the format needs at its end; the sink is not closed.
    let finish: () throws -> Void

    /// Starts a file.
    init(_ format: DataFormat, schema: ArrowSchema, sink: FileSink, parquet: ParquetWriteOptions) throws {
        switch format {
        case .csv, .tsv:
            var options = CSVWriterOptions()
            if format == .tsv { options.delimiter = UInt8(ascii: "\t") }
            var writer = try CSVWriter(schema: schema, sink: sink, options: options)
            write = { try writer.write($0) }
            finish = { try writer.finish() }
        case .jsonl:
            var writer = try JSONLinesWriter(schema: schema, sink: sink)
            write = { try writer.write($0) }
            finish = { try writer.finish() }
        case .arrow:
            var writer = try ArrowIPCFileWriter(schema: schema, sink: sink)
            write = { try writer.write($0) }
            finish = { try writer.finish() }
        case .arrows:
            var writer = try ArrowIPCStreamWriter(schema: schema, sink: sink)
            write = { try writer.write($0) }
            finish = { try writer.finish() }
        case .npy:
            var writer = try Self.npyWriter(schema, sink)
            write = { batch in if let column = batch.columns.first { try writer.write(column) } }
            // The number of rows stands at the start and is known only now.
            finish = { try sink.rewriteStart(try writer.finish()) }
        case .parquet:
            var writer = try ParquetWriter(schema: schema, sink: sink, options: parquet)
            write = { try writer.write($0) }
            finish = { try writer.finish() }
        case .lance: throw LanceError(.invalidArgument, "a Lance table is a directory, not a file")
        }
    }

    private static func npyWriter(_ schema: ArrowSchema, _ sink: FileSink) throws(LanceError) -> NPYWriter {
        guard schema.fields.count == 1, let field = schema.fields.first else {
            let names = schema.fields.prefix(20).map(\.name).joined(separator: ", ")
            throw LanceError(
                .invalidArgument,
                "a .npy file holds one column; choose it with --columns (there are \(names))"
            )
        }
        guard sink.isSeekable else {
            throw LanceError(.invalidArgument, "a .npy file starts with its size and cannot be piped; name a file")
        }
        return try NPYWriter(field: field, rowCount: nil, sink: sink)
    }
}
