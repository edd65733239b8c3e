import LancerBytes

/// Writes the Arrow IPC stream format.
///
/// Dictionaries are written before the first batch that uses them and again whenever a batch comes with another one.
/// Spec: Arrow columnar format, "IPC Streaming Format".
public struct ArrowIPCStreamWriter {
    private var messages: IPCMessageWriter
    private var isFinished = false

    /// The schema of all batches.
    public var schema: ArrowSchema { messages.schema }

    /// Bytes handed to the sink so far.
    public var bytesWritten: Int { messages.bytesWritten }

    /// Writes the schema to `sink`.
    ///
    /// - Throws: `unsupported` for a schema that Arrow IPC cannot express, and what the sink throws.
    public init(
        schema: ArrowSchema,
        sink: any ByteSink,
        options: IPCWriteOptions = IPCWriteOptions()
    ) throws(LanceError) {
        messages = try IPCMessageWriter(
            schema: schema,
            sink: sink,
            options: options,
            policy: .replace,
            keepsBlocks: false
        )
        try messages.writeSchema()
    }

    /// Writes a batch, whose arrays must be valid.
    ///
    /// - Throws: `schemaMismatch` when the columns' types are not those of the schema, and what the sink throws.
    public mutating func write(_ batch: RecordBatch) throws(LanceError) {
        guard !isFinished else { throw .invalidArgument("the Arrow stream is finished") }
        try messages.write(batch)
    }

    /// Writes the end of the stream; does not close the sink. Further calls do nothing.
    public mutating func finish() throws(LanceError) {
        if isFinished { return }
        isFinished = true
        try messages.write(IPCMessage.endOfStream)
    }
}

/// Writes the Arrow IPC file format.
///
/// A file has one dictionary for each dictionary column: when batches come with different ones, new values are appended
/// to the first (as delta batches) and indices renumbered. Some programs (polars) do not read delta batches; give them
/// a stream, or batches with the same dictionary.
/// Spec: Arrow columnar format, "IPC File Format"; File.fbs. See ``ArrowIPCFileReader`` for the layout.
public struct ArrowIPCFileWriter {
    private var messages: IPCMessageWriter
    private var isFinished = false

    /// The schema of all batches.
    public var schema: ArrowSchema { messages.schema }

    /// Bytes handed to the sink so far.
    public var bytesWritten: Int { messages.bytesWritten }

    /// Writes the start of the file to `sink`.
    ///
    /// - Throws: `unsupported` for a schema that Arrow IPC cannot express, and what the sink throws.
    public init(
        schema: ArrowSchema,
        sink: any ByteSink,
        options: IPCWriteOptions = IPCWriteOptions()
    ) throws(LanceError) {
        messages = try IPCMessageWriter(
            schema: schema,
            sink: sink,
            options: options,
            policy: .merge,
            keepsBlocks: true
        )
        try messages.write(ArrowBuffer(IPCFormat.magic + [0, 0]))
        try messages.writeSchema()
    }

    /// Writes a batch, whose arrays must be valid.
    ///
    /// - Throws: `schemaMismatch` when the columns' types are not those of the schema, `limitExceeded` when a column's
    ///   dictionaries together have more values than its index type can number, and what the sink throws.
    public mutating func write(_ batch: RecordBatch) throws(LanceError) {
        guard !isFinished else { throw .invalidArgument("the Arrow file is finished") }
        try messages.write(batch)
    }

    /// Writes the footer, without which the file cannot be read; does not close the sink. Further calls do nothing.
    public mutating func finish() throws(LanceError) {
        if isFinished { return }
        isFinished = true
        try messages.write(IPCMessage.endOfStream)
        var builder = FlatBufferBuilder()
        let batches = builder.vector(ofInt64: messages.batchBlocks.flatMap(\.numbers), width: 3)
        let dictionaries = builder.vector(ofInt64: messages.dictionaryBlocks.flatMap(\.numbers), width: 3)
        let schema = IPCSchemaWriter.schema(messages.schema, layouts: messages.layouts, in: &builder)
        let root = builder.table([
            (0, .number(IPCFormat.version)), (1, .reference(schema)), (2, .reference(dictionaries)),
            (3, .reference(batches)),
        ])
        let footer = builder.finish(root: root)
        var end = BufferBuilder(capacity: footer.count + 16)
        end.append(contentsOf: footer)
        end.append(Int32(footer.count).littleEndian)
        end.append(contentsOf: IPCFormat.magic)
        try messages.write(end.finish())
    }
}

extension IPCMessageWriter.Block {
    /// The 24 bytes of a `Block` as numbers; the metadata length takes four and four of padding.
    fileprivate var numbers: [Int64] { [offset, metadataLength, bodyLength] }
}
