import CArrowData
import LancerBytes

extension ArrowCData {
    /// Fills `target` with a stream over a reader's batches; the receiver calls its `release`.
    public static func export(_ reader: any RecordBatchReader, to target: UnsafeMutablePointer<CArrowArrayStream>) {
        target.initialize(
            to: CArrowArrayStream(
                get_schema: { stream, out in
                    guard let out, let exported = ExportedStream.of(stream) else {
                        return ExportedStream.invalidArgument
                    }
                    ArrowCData.export(exported.reader.schema, to: out)
                    return 0
                },
                get_next: { stream, out in
                    guard let out, let exported = ExportedStream.of(stream) else {
                        return ExportedStream.invalidArgument
                    }
                    return exported.next(into: out)
                },
                get_last_error: { stream in ExportedStream.of(stream)?.lastError?.pointer },
                release: { stream in
                    guard let stream, let owner = stream.pointee.private_data else { return }
                    stream.pointee.release = nil
                    stream.pointee.private_data = nil
                    Unmanaged<ExportedStream>.fromOpaque(owner).release()
                },
                private_data: Unmanaged.passRetained(ExportedStream(reader)).toOpaque()
            )
        )
    }
}

/// The reader behind an exported stream.
private final class ExportedStream {
    // errno values, the same on all systems.
    static let inputOutputError: Int32 = 5
    static let invalidArgument: Int32 = 22

    var reader: any RecordBatchReader
    var lastError: CText?

    init(_ reader: any RecordBatchReader) { self.reader = reader }

    static func of(_ stream: UnsafeMutablePointer<CArrowArrayStream>?) -> ExportedStream? {
        stream?.pointee.private_data.map { Unmanaged<ExportedStream>.fromOpaque($0).takeUnretainedValue() }
    }

    func next(into out: UnsafeMutablePointer<CArrowArray>) -> Int32 {
        do {
            if let batch = try reader.next() {
                ArrowCData.export(batch, to: out)
            } else {
                // A released array marks the end.
                out.initialize(to: CArrowArray())
            }
            return 0
        } catch {
            lastError = CText("\(error)")
            return Self.inputOutputError
        }
    }
}

/// Reads the batches of a stream that another library made.
public struct ArrowCStreamReader: RecordBatchReader {
    /// The schema of every batch.
    public let schema: ArrowSchema
    private let stream: ImportedStream

    /// Takes a stream over: it is marked released, and released for real with the reader.
    ///
    /// - Throws: `io` with the stream's message, `unsupported` for a type Lancer does not have.
    public init(taking source: UnsafeMutablePointer<CArrowArrayStream>) throws(LanceError) {
        guard source.pointee.release != nil else {
            throw .invalidArgument("an Arrow C stream that is released already")
        }
        stream = ImportedStream(moving: source)
        schema = try stream.readSchema()
    }

    /// The next batch, checked, or nil at the end.
    public mutating func next() throws -> RecordBatch? { try stream.next(schema) }
}

private final class ImportedStream {
    private var stream: CArrowArrayStream

    init(moving source: UnsafeMutablePointer<CArrowArrayStream>) {
        stream = source.pointee
        source.pointee.release = nil
    }

    deinit { stream.release?(&stream) }

    func readSchema() throws(LanceError) -> ArrowSchema {
        var schema = CArrowSchema()
        try check(stream.get_schema?(&stream, &schema))
        return try ArrowCData.importSchema(from: &schema)
    }

    func next(_ schema: ArrowSchema) throws(LanceError) -> RecordBatch? {
        var array = CArrowArray()
        try check(stream.get_next?(&stream, &array))
        if array.release == nil { return nil }
        return try ArrowCData.importBatch(from: &array, schema: schema)
    }

    private func check(_ code: Int32?) throws(LanceError) {
        guard let code else { throw .invalidArgument("an Arrow C stream without its functions") }
        if code == 0 { return }
        let message = stream.get_last_error?(&stream).map { String(cString: $0) } ?? "no message"
        throw LanceError(.io, "an Arrow C stream failed with code \(code): \(message)")
    }
}
