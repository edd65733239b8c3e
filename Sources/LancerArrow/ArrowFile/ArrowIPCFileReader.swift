import LancerBytes

/// Reads the Arrow IPC file format ("Feather version 2"), in order or batch by batch.
///
/// Layout: `ARROW1` and two zero bytes, the messages of a stream, the footer, its length as a signed 32-bit number,
/// `ARROW1`. The footer has the schema again and the place of every dictionary and record batch message.
/// Spec: Arrow columnar format, "IPC File Format"; File.fbs.
public struct ArrowIPCFileReader: RecordBatchReader {
    private let source: any ByteSource
    private let options: IPCReadOptions
    private let layouts: IPCSchema
    private let footerStart: UInt64
    private let dictionaryBlocks: FlatVector?
    private let batchBlocks: FlatVector?
    /// Made when the first batch is asked for.
    private var loadedDictionaries: IPCDictionaries?
    private var nextIndex = 0

    /// The schema.
    public var schema: ArrowSchema { layouts.schema }

    /// Number of record batches in the file.
    public var batchCount: Int { batchBlocks?.count ?? 0 }

    /// Reads the footer.
    ///
    /// - Throws: `corrupt` when it is no Arrow IPC file, `truncated`, `unsupported` for types Lancer has not, and what
    ///   the source throws.
    public init(_ source: any ByteSource, options: IPCReadOptions = IPCReadOptions()) throws(LanceError) {
        guard let size = source.size else { throw .invalidArgument("an Arrow IPC file must be of known size") }
        self.source = source
        self.options = options
        (footerStart, layouts, dictionaryBlocks, batchBlocks) = try Self.footer(source, size: size, options)
    }

    private static func footer(
        _ source: any ByteSource,
        size: UInt64,
        _ options: IPCReadOptions
    ) throws(LanceError) -> (UInt64, IPCSchema, FlatVector?, FlatVector?) {
        let magic = IPCFormat.magic.count
        let head = UInt64(IPCFormat.paddedMagicLength)
        let tail = UInt64(4 + magic)
        let start = try source.read(offset: 0, count: Int(clamping: Swift.min(size, UInt64(magic)))).bytes
        guard start == IPCFormat.magic else {
            let isPrefix = IPCFormat.magic.starts(with: start)
            throw isPrefix ? .truncated("an Arrow IPC file of \(size) bytes") : .corrupt("this is no Arrow IPC file")
        }
        guard size >= head + tail else { throw .truncated("an Arrow IPC file of \(size) bytes") }
        let end = try source.read(offset: size - tail, count: Int(tail))
        guard Array(end.bytes.suffix(magic)) == IPCFormat.magic else {
            throw .truncated("an Arrow IPC file does not end with ARROW1; it was not written to its end")
        }
        let length: Int32 = try end.number()
        guard length > 0, UInt64(length) <= size - head - tail else {
            throw .corrupt("the footer of an Arrow IPC file of \(size) bytes has \(length)")
        }
        guard Int(length) <= options.limits.metadataBytes else {
            throw .limitExceeded("the footer of an Arrow IPC file has \(length) bytes")
        }
        let footerStart = size - tail - UInt64(length)
        do throws(LanceError) {
            let footer = try FlatTable(rootOf: source.read(offset: footerStart, count: Int(length)))
            try IPCMessage.check(version: footer.number(0, absent: Int16(0)))
            guard let schema = try footer.table(1) else { throw LanceError.corrupt("the footer has no schema") }
            return (
                footerStart, try IPCSchemaReader.read(schema, messageSize: Int(length), options: options),
                try footer.vector(2, stride: IPCFormat.blockSize), try footer.vector(3, stride: IPCFormat.blockSize)
            )
        } catch {
            throw error.located(part: "Arrow footer")
        }
    }

    /// The next batch, checked, or nil after the last.
    ///
    /// - Throws: as ``batch(at:)``; the batch is skipped then.
    public mutating func next() throws(LanceError) -> RecordBatch? {
        guard nextIndex < batchCount else { return nil }
        defer { nextIndex += 1 }
        return try batch(at: nextIndex)
    }

    /// Any batch, checked. The first call reads the file's dictionaries as well.
    ///
    /// - Throws: `corrupt`, `truncated`, `limitExceeded`, `invalidArgument` when there is no such batch, and what the
    ///   source throws.
    public mutating func batch(at index: Int) throws(LanceError) -> RecordBatch {
        guard let batchBlocks, index >= 0, index < batchBlocks.count else {
            throw .invalidArgument("batch \(index) of an Arrow IPC file with \(batchCount)")
        }
        var dictionaries = try dictionaries()
        defer { loadedDictionaries = dictionaries }
        do throws(LanceError) {
            let (message, body) = try block(batchBlocks, index)
            guard message.kind == IPCFormat.Header.recordBatch else {
                throw LanceError.corrupt("a message of kind \(message.kind) stands where a batch should")
            }
            return try layouts.batch(message.header, body: body, dictionaries: &dictionaries, options.limits)
        } catch {
            throw error.located(part: "Arrow batch \(index)")
        }
    }

    private func dictionaries() throws(LanceError) -> IPCDictionaries {
        if let loadedDictionaries { return loadedDictionaries }
        var dictionaries = IPCDictionaries(layouts)
        guard let dictionaryBlocks else { return dictionaries }
        for index in 0..<dictionaryBlocks.count {
            do throws(LanceError) {
                let (message, body) = try block(dictionaryBlocks, index)
                guard message.kind == IPCFormat.Header.dictionaryBatch else {
                    throw LanceError.corrupt("a message of kind \(message.kind) stands where a dictionary should")
                }
                try dictionaries.read(message, body: body, limits: options.limits, mayReplace: false)
            } catch {
                throw error.located(part: "Arrow dictionary block \(index)")
            }
        }
        return dictionaries
    }

    /// Reads the message a `Block` of the footer refers to: offset in the file, length of the metadata with its prefix
    /// and padding, length of the body.
    private func block(_ blocks: FlatVector, _ index: Int) throws(LanceError) -> (IPCMessage, ArrowBuffer) {
        let offset = try blocks.number(index, at: 0, as: Int64.self)
        let metadataLength = try blocks.number(index, at: 8, as: Int32.self)
        let bodyLength = try blocks.number(index, at: 16, as: Int64.self)
        guard let start = UInt64(exactly: offset), start <= footerStart, metadataLength >= 8, bodyLength >= 0,
            Int64(metadataLength) <= footerStart - start,
            UInt64(bodyLength) <= footerStart - start - UInt64(metadataLength)
        else {
            throw .corrupt("a block at \(offset) of \(metadataLength) and \(bodyLength) bytes is not before the footer")
        }
        let count = try Int(checked: Int64(metadataLength) + bodyLength, "the size of an Arrow message")
        guard count <= options.limits.allocationBytes else {
            throw .limitExceeded("an Arrow message of \(count) bytes")
        }
        let bytes = try source.read(offset: start, count: count)
        var prefix = ByteReader(bytes.slice(0..<Int(metadataLength)), what: "the metadata of an Arrow message")
        var size = try prefix.read(UInt32.self)
        if size == IPCFormat.continuation { size = try prefix.read(UInt32.self) }
        let message = try IPCMessage(metadata: prefix.take(Int(size)))
        let body = bytes.slice(Int(metadataLength)..<bytes.count)
        return (message, try body.checkedSlice(offset: 0, count: message.bodyLength, "the body of an Arrow message"))
    }
}
