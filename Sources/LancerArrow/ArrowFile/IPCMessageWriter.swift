import LancerBytes

/// Writes the messages of a stream, which are also the middle of a file.
struct IPCMessageWriter {
    /// Where a message was written, as the footer of a file lists it.
    struct Block {
        let offset: Int64
        let metadataLength: Int64
        let bodyLength: Int64
    }

    let schema: ArrowSchema
    let layouts: [IPCLayout]
    private(set) var sink: any ByteSink
    private let options: IPCWriteOptions
    private var dictionaries: IPCDictionaryWriter
    private(set) var bytesWritten = 0
    private(set) var dictionaryBlocks: [Block] = []
    private(set) var batchBlocks: [Block] = []
    private let keepsBlocks: Bool

    init(
        schema: ArrowSchema,
        sink: any ByteSink,
        options: IPCWriteOptions,
        policy: IPCDictionaryWriter.Policy,
        keepsBlocks: Bool
    ) throws(LanceError) {
        self.schema = schema
        self.sink = sink
        self.options = options
        self.keepsBlocks = keepsBlocks
        layouts = try IPCSchemaWriter.layouts(of: schema)
        dictionaries = IPCDictionaryWriter(policy)
    }

    /// Writes bytes as they are.
    mutating func write(_ bytes: ArrowBuffer) throws(LanceError) {
        try sink.write(bytes)
        bytesWritten += bytes.count
    }

    /// Writes the schema message.
    mutating func writeSchema() throws(LanceError) {
        var builder = FlatBufferBuilder()
        let table = IPCSchemaWriter.schema(schema, layouts: layouts, in: &builder)
        try write(
            IPCMessage.encapsulated(kind: IPCFormat.Header.schema, bodyLength: 0, header: table, in: builder)
        )
    }

    /// Writes a record batch, and before it the dictionary batches it needs.
    ///
    /// - Throws: `schemaMismatch` when the columns' types are not those of the schema.
    mutating func write(_ batch: RecordBatch) throws(LanceError) {
        guard batch.schema.fields.map(\.type) == schema.fields.map(\.type) else {
            throw .schemaMismatch("the batch has columns \(batch.schema.fields), the Arrow data \(schema.fields)")
        }
        dictionaries.clearEmissions()
        var body = IPCBatchWriter(compression: options.compression)
        for (column, layout) in zip(batch.columns, layouts) {
            try body.append(dictionaries.prepare(column, layout))
        }
        for emission in dictionaries.emissions { try write(emission) }
        var builder = FlatBufferBuilder()
        let table = body.table(length: batch.rowCount, in: &builder)
        let block = try write(body, kind: IPCFormat.Header.recordBatch, header: table, builder)
        if keepsBlocks { batchBlocks.append(block) }
    }

    private mutating func write(_ emission: IPCDictionaryWriter.Emission) throws(LanceError) {
        var body = IPCBatchWriter(compression: options.compression)
        try body.append(emission.values)
        var builder = FlatBufferBuilder()
        let values = body.table(length: emission.values.length, in: &builder)
        var slots: [(slot: Int, field: FlatBufferBuilder.Field)] = [
            (0, .number(emission.id)), (1, .reference(values)),
        ]
        if emission.isDelta { slots.append((2, .flag(true))) }
        let table = builder.table(slots)
        let block = try write(body, kind: IPCFormat.Header.dictionaryBatch, header: table, builder)
        if keepsBlocks { dictionaryBlocks.append(block) }
    }

    private mutating func write(
        _ body: IPCBatchWriter,
        kind: UInt8,
        header: FlatBufferBuilder.Reference,
        _ builder: FlatBufferBuilder
    ) throws(LanceError) -> Block {
        let offset = bytesWritten
        let metadata = IPCMessage.encapsulated(kind: kind, bodyLength: body.bodyLength, header: header, in: builder)
        try write(metadata)
        try body.writeBody(to: &sink)
        bytesWritten += body.bodyLength
        return Block(
            offset: Int64(offset),
            metadataLength: Int64(metadata.count),
            bodyLength: Int64(body.bodyLength)
        )
    }
}
