import LancerBytes

/// Reads the Arrow IPC stream format, one batch at a time.
///
/// Streams written before Arrow 0.15 are read as well. `string_view` and `binary_view` columns come out as `string` and
/// `binary` (see ``IPCReadOptions/largeViews``).
/// Spec: Arrow columnar format, "IPC Streaming Format".
public struct ArrowIPCStreamReader: RecordBatchReader {
    private let layouts: IPCSchema
    private let options: IPCReadOptions
    private var messages: IPCMessageStream
    private var dictionaries: IPCDictionaries
    private var isAtEnd = false
    private var failure: LanceError?

    /// The schema, which stands at the start of the stream.
    public var schema: ArrowSchema { layouts.schema }

    /// Reads the schema from `stream`.
    ///
    /// - Throws: `truncated`, `corrupt`, `unsupported` for types Lancer has not, and what the stream throws.
    public init(_ stream: any ByteStream, options: IPCReadOptions = IPCReadOptions()) throws(LanceError) {
        self.options = options
        messages = IPCMessageStream(stream, limits: options.limits)
        guard let (message, _) = try messages.next() else { throw .truncated("the Arrow stream is empty") }
        layouts = try IPCSchema(message, options: options)
        dictionaries = IPCDictionaries(layouts)
    }

    /// The next batch, checked, or nil at the end of the stream. After an error every call throws it again.
    ///
    /// - Throws: `truncated`, `corrupt`, `limitExceeded`, and what the stream throws.
    public mutating func next() throws(LanceError) -> RecordBatch? {
        if let failure { throw failure }
        do throws(LanceError) {
            return try nextBatch()
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func nextBatch() throws(LanceError) -> RecordBatch? {
        while !isAtEnd {
            guard let (message, body) = try messages.next() else {
                isAtEnd = true
                break
            }
            switch message.kind {
            case IPCFormat.Header.recordBatch:
                return try layouts.batch(message.header, body: body, dictionaries: &dictionaries, options.limits)
            case IPCFormat.Header.dictionaryBatch:
                try dictionaries.read(message, body: body, limits: options.limits, mayReplace: true)
            default: throw .unsupported("an Arrow stream with a message of kind \(message.kind) after its schema")
            }
        }
        return nil
    }
}

extension IPCSchema {
    /// The schema in the first message of a stream.
    init(_ message: IPCMessage, options: IPCReadOptions) throws(LanceError) {
        guard message.kind == IPCFormat.Header.schema else {
            throw .corrupt("an Arrow stream starts with a message of kind \(message.kind), not with its schema")
        }
        self = try IPCSchemaReader.read(message.header, messageSize: message.metadataSize, options: options)
    }

    /// The batch in a `RecordBatch` message, checked down to its values.
    func batch(
        _ table: FlatTable,
        body: ArrowBuffer,
        dictionaries: inout IPCDictionaries,
        _ limits: DecodeLimits
    ) throws(LanceError) -> RecordBatch {
        var reader = try IPCBatchReader(table, body: body, limits: limits)
        var columns: [ArrowArray] = []
        for layout in layouts {
            let column = try reader.column(layout, dictionaries: &dictionaries)
            do throws(LanceError) {
                // Dictionaries were checked when they were read; batches share them.
                try column.validateExceptDictionaries()
            } catch {
                throw error.located(part: "column \"\(layout.path)\"")
            }
            columns.append(column)
        }
        guard !columns.isEmpty || reader.length <= IPCFormat.mostWeightlessValues else {
            throw .limitExceeded("\(reader.length) rows without columns")
        }
        return try RecordBatch(schema: schema, columns: columns, rowCount: reader.length)
    }
}
