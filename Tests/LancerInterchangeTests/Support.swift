import LancerArrow
import LancerBytes
import LancerInterchange
import Testing

/// A stream that gives at most `piece` bytes at a time.
struct SlowStream: ByteStream {
    var stream: BufferStream
    let piece: Int

    mutating func read(upTo limit: Int) throws(LanceError) -> ArrowBuffer {
        try stream.read(upTo: Swift.min(limit, piece))
    }
}

func buffer(_ text: String) -> ArrowBuffer { ArrowBuffer(Array(text.utf8)) }

/// All batches of a reader as one.
func all(_ reader: some RecordBatchReader) throws -> RecordBatch {
    var reader = reader
    var batches: [RecordBatch] = []
    while let batch = try reader.next() { batches.append(batch) }
    if batches.isEmpty {
        return try RecordBatch(
            schema: reader.schema,
            columns: try reader.schema.fields.map { try ArrowArray.of($0.type, []) },
            rowCount: 0
        )
    }
    return try RecordBatch.concatenating(batches)
}

func readCSV(_ bytes: ArrowBuffer, _ options: CSVOptions = CSVOptions(), piece: Int = .max) throws -> RecordBatch {
    try all(
        CSVReader(options: options) { () throws(LanceError) in SlowStream(stream: BufferStream(bytes), piece: piece) }
    )
}

func readCSV(_ text: String, _ options: CSVOptions = CSVOptions()) throws -> RecordBatch {
    try readCSV(buffer(text), options)
}

func readJSON(
    _ bytes: ArrowBuffer,
    _ options: JSONLinesOptions = JSONLinesOptions(),
    piece: Int = .max
) throws -> RecordBatch {
    try all(
        JSONLinesReader(options: options) { () throws(LanceError) in
            SlowStream(stream: BufferStream(bytes), piece: piece)
        }
    )
}

func readJSON(_ text: String, schema: String? = nil) throws -> RecordBatch {
    var options = JSONLinesOptions()
    if let schema { options.schema = try SchemaText.parse(schema) }
    return try readJSON(buffer(text), options)
}

func writeCSV(_ batch: RecordBatch, _ options: CSVWriterOptions = CSVWriterOptions()) throws -> ArrowBuffer {
    let sink = MemorySink()
    var writer = try CSVWriter(schema: batch.schema, sink: sink, options: options)
    try writer.write(batch)
    try writer.finish()
    return sink.buffer
}

func writeJSON(_ batch: RecordBatch) throws -> ArrowBuffer {
    let sink = MemorySink()
    var writer = try JSONLinesWriter(schema: batch.schema, sink: sink)
    try writer.write(batch)
    try writer.finish()
    return sink.buffer
}

func text(_ buffer: ArrowBuffer) -> String { String(decoding: buffer.bytes, as: UTF8.self) }

/// The types of a batch's columns, in schema text.
func types(_ batch: RecordBatch) -> String { SchemaText.format(batch.schema) }

/// The error that `body` throws.
func failure(_ body: () throws -> Void) -> LanceError? {
    do { try body() } catch let error as LanceError { return error } catch { return nil }
    return nil
}

/// The array with every NaN made the one that text stands for.
func canonical(_ array: ArrowArray) -> ArrowArray {
    func mapped<T: BitwiseCopyable>(_ buffer: ArrowBuffer, _ change: (T) -> T) -> ArrowBuffer {
        buffer.aligned(to: 8).withValues(of: T.self) { ArrowBuffer($0.map(change)) }
    }
    var storage = array.storage
    switch (array.storage, array.type) {
    case (.fixedWidth(let values), .float16):
        storage = .fixedWidth(mapped(values) { (bits: UInt16) in HalfFloat.value(bits).isNaN ? 0x7E00 : bits })
    case (.fixedWidth(let values), .float32):
        storage = .fixedWidth(mapped(values) { (value: Float) in value.isNaN ? .nan : value })
    case (.fixedWidth(let values), .float64):
        storage = .fixedWidth(mapped(values) { (value: Double) in value.isNaN ? .nan : value })
    case (.list(let offsets, let child), _): storage = .list(offsets: offsets, child: canonical(child))
    case (.fixedSizeList(let child), _): storage = .fixedSizeList(child: canonical(child))
    case (.structure(let children), _): storage = .structure(children.map(canonical))
    case (.dictionary(let indices, let values), _): storage = .dictionary(indices: indices, values: canonical(values))
    default: break
    }
    return ArrowArray(type: array.type, length: array.length, validity: array.validity, storage: storage)
}

func canonical(_ batch: RecordBatch) throws -> RecordBatch {
    try RecordBatch(schema: batch.schema, columns: batch.columns.map(canonical), rowCount: batch.rowCount)
}
