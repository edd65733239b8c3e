import Lancer
import LancerInterchange

/// Opens files of formats other than Lance for reading.
enum FormatReader {
    /// Opens `path` (`-`: standard input) and finds out its schema.
    ///
    /// - Parameter schema: Columns and types of a text format; nil to find them in the text.
    /// - Parameter columns: The columns that will be looked at, nil for all; a format may leave out others or not.
    static func open(
        _ path: String,
        _ format: DataFormat,
        schema: ArrowSchema?,
        columns: [String]? = nil
    ) throws -> any RecordBatchReader {
        let name = path == "-" ? "standard input" : path
        if schema != nil, ![.csv, .tsv, .jsonl].contains(format) {
            throw LanceError(.invalidArgument, "--schema is for CSV, TSV and JSON; \(name) has a schema of its own")
        }
        do {
            if format == .parquet { return try ParquetFiles([path]).reader(columns: columns) }
            return LocatedReader(try reader(path, format, schema), path: name)
        } catch let error as LanceError {
            throw error.located(file: name)
        }
    }

    private static func reader(
        _ path: String,
        _ format: DataFormat,
        _ schema: ArrowSchema?
    ) throws
        -> any RecordBatchReader
    {
        switch format {
        case .csv, .tsv:
            var options: CSVOptions = format == .csv ? .csv : .tsv
            options.schema = schema
            return try CSVReader(options: options, open: try opener(path, isReadOnce: schema != nil))
        case .jsonl:
            var options = JSONLinesOptions()
            options.schema = schema
            return try JSONLinesReader(options: options, open: try opener(path, isReadOnce: schema != nil))
        case .npy:
            let name = path.split(separator: "/").last.map { String($0.prefix { $0 != "." }) } ?? ""
            return try NPYReader(FileSource(try nonEmpty(path)), name: name.isEmpty || path == "-" ? "values" : name)
        case .arrow:
            // The extension is used for both forms; only the file form starts with this word.
            let file = try nonEmpty(path)
            let source = FileSource(file)
            let isFile = try source.size.map { try $0 >= 6 && source.read(offset: 0, count: 6).bytes == arrowMagic }
            return try isFile ?? false
                ? ArrowIPCFileReader(source) : ArrowIPCStreamReader(PositionedStream(file))
        case .arrows: return try ArrowIPCStreamReader(try InputFile.stream(path))
        case .parquet, .lance: throw LanceError(.invalidArgument, "a \(format.rawValue) table is opened by its path")
        }
    }

    private static let arrowMagic = Array("ARROW1".utf8)

    /// Opens the text at its start; twice, when its types have to be found first.
    private static func opener(
        _ path: String,
        isReadOnce: Bool
    ) throws(LanceError)
        -> () throws(LanceError) -> any ByteStream
    {
        if isReadOnce {
            let stream = try InputFile.stream(path)
            return { () throws(LanceError) -> any ByteStream in stream }
        }
        let file = try nonEmpty(path)
        return { () throws(LanceError) -> any ByteStream in PositionedStream(file) }
    }

    /// - Throws: `truncated` for a file of no bytes, which is none of these formats.
    private static func nonEmpty(_ path: String) throws(LanceError) -> OpenFile {
        let file = try InputFile.rereadable(path)
        guard file.size != 0 else { throw LanceError(.truncated, "the file is empty") }
        return file
    }
}

/// Adds the path to what goes wrong while reading.
struct LocatedReader: RecordBatchReader {
    private var base: any RecordBatchReader
    private let path: String

    init(_ base: any RecordBatchReader, path: String) {
        self.base = base
        self.path = path
    }

    var schema: ArrowSchema { base.schema }

    mutating func next() throws -> RecordBatch? {
        do {
            return try base.next()
        } catch let error as LanceError {
            throw error.located(file: path)
        }
    }
}
