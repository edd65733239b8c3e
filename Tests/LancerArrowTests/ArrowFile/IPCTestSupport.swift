import Foundation
import LancerArrow
import LancerBytes
import Testing

/// The two formats, as something tests can loop over.
enum IPCForm: CaseIterable {
    case file
    case stream

    /// Writes batches into memory.
    func write(
        _ schema: ArrowSchema,
        _ batches: [RecordBatch],
        _ compression: IPCCompression = .none
    ) throws -> ArrowBuffer {
        let sink = MemorySink()
        switch self {
        case .file:
            var writer = try ArrowIPCFileWriter(schema: schema, sink: sink, options: .init(compression: compression))
            for batch in batches { try writer.write(batch) }
            try writer.finish()
            #expect(writer.bytesWritten == sink.count)
        case .stream:
            var writer = try ArrowIPCStreamWriter(schema: schema, sink: sink, options: .init(compression: compression))
            for batch in batches { try writer.write(batch) }
            try writer.finish()
            #expect(writer.bytesWritten == sink.count)
        }
        return sink.buffer
    }

    /// Reads everything; `piece` limits how many bytes a stream gives at once.
    func read(
        _ bytes: ArrowBuffer,
        options: IPCReadOptions = IPCReadOptions(),
        piece: Int = .max
    ) throws -> (schema: ArrowSchema, batches: [RecordBatch]) {
        switch self {
        case .file: return try all(ArrowIPCFileReader(BufferSource(bytes), options: options))
        case .stream: return try all(ArrowIPCStreamReader(PieceStream(bytes, piece: piece), options: options))
        }
    }

    private func all(_ start: some RecordBatchReader) throws -> (schema: ArrowSchema, batches: [RecordBatch]) {
        var reader = start
        var batches: [RecordBatch] = []
        while let batch = try reader.next() { batches.append(batch) }
        return (reader.schema, batches)
    }
}

/// A stream that gives only a few bytes at once.
struct PieceStream: ByteStream {
    private var stream: BufferStream
    private let piece: Int

    init(_ buffer: ArrowBuffer, piece: Int) {
        stream = BufferStream(buffer)
        self.piece = piece
    }

    mutating func read(upTo limit: Int) throws(LanceError) -> ArrowBuffer {
        try stream.read(upTo: Swift.min(limit, piece))
    }
}

/// A file of `Tests/Vectors/ArrowIPC`, made by `make_vectors.py` there.
func ipcVector(_ name: String, from file: String = #filePath) throws -> ArrowBuffer {
    var tests = URL(fileURLWithPath: file)
    for _ in 0..<3 { tests.deleteLastPathComponent() }
    let data = try Data(contentsOf: tests.appendingPathComponent("Vectors/ArrowIPC/\(name)"))
    return data.withUnsafeBytes { ArrowBuffer(copying: $0) }
}

/// Expects the same schema and the same values, row for row.
func expectSame(
    _ found: [RecordBatch],
    _ wanted: [RecordBatch],
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.count == wanted.count, comment, sourceLocation: sourceLocation)
    for (one, other) in zip(found, wanted) {
        #expect(one.schema == other.schema, comment, sourceLocation: sourceLocation)
        #expect(one.rowCount == other.rowCount, comment, sourceLocation: sourceLocation)
        for (field, (mine, theirs)) in zip(one.schema.fields, zip(one.columns, other.columns)) {
            let note: Comment = "\(comment?.rawValue ?? "") \(field)"
            #expect(mine.isEqual(to: theirs), note, sourceLocation: sourceLocation)
        }
    }
}
