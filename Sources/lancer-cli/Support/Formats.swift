import Lancer

/// Opens files of other formats.
enum FormatReader {
    static func open(_ path: String, _ format: DataFormat, schema: ArrowSchema?) throws -> any RecordBatchReader {
        throw LanceError(.unsupported, "reading \(format.rawValue) is not there yet")
    }
}

/// Writes one of the formats that are a single file.
struct FormatWriter {
    let write: (RecordBatch) throws -> Void
    let finish: () throws -> Void

    init(_ format: DataFormat, schema: ArrowSchema, sink: FileSink) throws {
        throw LanceError(.unsupported, "writing \(format.rawValue) is not there yet")
    }
}

extension ArrowArray {
    func cell(at row: Int) -> String { "?" }
    static func concatenating(_ arrays: [ArrowArray]) throws -> ArrowArray { arrays[0] }
}
