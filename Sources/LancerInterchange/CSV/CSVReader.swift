import LancerArrow
import LancerBytes

/// Reads CSV or TSV text as record batches, in memory bounded by the batch size (or the longest row).
///
/// See ``CSVOptions`` for what is read and what it means. Without a schema the text is read twice: once to choose the
/// types from all rows, once for the values.
package struct CSVReader: RecordBatchReader {
    /// Names and types of the columns.
    package let schema: ArrowSchema
    /// Number of rows, when the text was read to choose types.
    package private(set) var inferredRowCount: Int?

    private let tokenizer: CSVTokenizer
    private let columns: [TextColumn]
    /// For each column of the schema its place in the text.
    private let places: [Int]
    private let rowLimit: Int
    private let nested = CellScratch()

    /// Opens a CSV text.
    ///
    /// - Parameter open: Opens the text at its start; called twice when there is no schema in `options`.
    /// - Throws: `corrupt` for text that is not CSV (naming the line), `schemaMismatch` when the header and the
    ///   schema do not fit, what `open` and the stream throw.
    package init(
        options: CSVOptions = CSVOptions(),
        open: () throws(LanceError) -> any ByteStream
    ) throws(LanceError) {
        var fileNames: [String] = []
        var inferred: [ArrowType] = []
        if options.schema == nil {
            (fileNames, inferred, inferredRowCount) = try Self.infer(try CSVTokenizer(try open(), options), options)
        }
        tokenizer = try CSVTokenizer(try open(), options)
        if options.header {
            let names = try tokenizer.readHeader()
            guard options.schema != nil || names == fileNames else {
                throw LanceError(.conflict, "the CSV text changed while it was being read")
            }
            fileNames = names
        }
        if let given = options.schema {
            schema = given
            places = try Self.places(of: given, in: options.header ? fileNames : nil, options)
        } else {
            schema = ArrowSchema(zip(fileNames, inferred).map { ArrowField($0, $1) })
            places = Array(schema.fields.indices)
        }
        var columns: [TextColumn] = []
        for field in schema.fields { columns.append(try TextColumn(field.type)) }
        self.columns = columns
        rowLimit = schema.rowLimit(options.batchRows)
    }

    /// First pass: names and types of the columns.
    private static func infer(
        _ tokenizer: CSVTokenizer,
        _ options: CSVOptions
    ) throws(LanceError) -> ([String], [ArrowType], Int) {
        var names: [String] = []
        if options.header { names = try tokenizer.readHeader() }
        var kinds: [CSVColumnKinds] = []
        var rows = 0
        while try tokenizer.next() {
            let width = tokenizer.columnCount
            if kinds.isEmpty { kinds = Array(repeating: CSVColumnKinds(), count: width) }
            rows += tokenizer.rowCount
            // A few rows at a time, so that their text is still in the cache for the next column.
            for first in stride(from: 0, to: tokenizer.rowCount, by: 1024) {
                let count = Swift.min(1024, tokenizer.rowCount - first)
                for column in 0..<width where !kinds[column].isText {
                    note(tokenizer, first: first * width + column, step: width, count: count, &kinds[column])
                }
            }
        }
        if kinds.isEmpty { kinds = Array(repeating: CSVColumnKinds(), count: names.count) }
        if !options.header { names = kinds.indices.map { "f\($0)" } }
        guard !names.isEmpty else { throw .corrupt("the CSV text is empty: no header, no rows") }
        return (names, kinds.map(\.type), rows)
    }

    private static func note(
        _ tokenizer: CSVTokenizer,
        first: Int,
        step: Int,
        count: Int,
        _ kinds: inout CSVColumnKinds
    ) {
        let base = tokenizer.window.base
        var next = tokenizer.cells + first
        for _ in 0..<count {
            let cell = next.pointee
            next += step
            if cell.count > 0 {
                kinds.note(base + cell.start, cell.count)
            } else if cell.isQuoted {
                kinds.noteEmptyText()
            }
        }
    }

    /// Where in the text each column of a given schema is.
    private static func places(
        of schema: ArrowSchema,
        in names: [String]?,
        _ options: CSVOptions
    ) throws(LanceError) -> [Int] {
        guard let names else { return Array(schema.fields.indices) }
        let known = Dictionary(zip(names, names.indices)) { first, _ in first }
        var places: [Int] = []
        for field in schema.fields {
            guard let place = known[field.name] else {
                let all = names.map { "\"\($0)\"" }.joined(separator: ", ")
                throw .schemaMismatch("the CSV header has no column \"\(field.name)\"; it has \(all)")
            }
            places.append(place)
        }
        let wanted = Set(schema.fields.map(\.name))
        let others = names.filter { !wanted.contains($0) }
        guard others.isEmpty || options.skipsOtherColumns else {
            let list = others.map { "\"\($0)\"" }.joined(separator: ", ")
            throw .schemaMismatch("the CSV header has columns that the schema does not name: \(list)")
        }
        return places
    }

    /// The next batch, or nil at the end.
    ///
    /// - Throws: `invalidArgument` naming line and column of a cell that is no value of its column's type, `corrupt` for a
    ///   row with more or fewer cells, a misplaced quote or text that is not UTF-8; what the stream throws.
    package mutating func next() throws(LanceError) -> RecordBatch? {
        guard try tokenizer.next(limit: rowLimit) else { return nil }
        let width = tokenizer.columnCount
        let rows = tokenizer.rowCount
        let start = tokenizer.cells[0].start
        let ascii = ByteScan.isASCII(tokenizer.window.base + start, tokenizer.blockEnd - start)
        for first in stride(from: 0, to: rows, by: 1024) {
            let count = Swift.min(1024, rows - first)
            for (index, column) in columns.enumerated() {
                let cells = Cells(first: first * width + places[index], step: width, count: count, ascii: ascii)
                try append(cells, to: column, schema.fields[index])
            }
        }
        return try RecordBatch(schema: schema, columns: columns.map { $0.finish() }, rowCount: rows)
    }
}

extension CSVReader {
    /// Cells of one column in consecutive rows.
    private struct Cells {
        let first: Int
        let step: Int
        let count: Int
        /// Whether their text is known to be ASCII.
        let ascii: Bool
    }

    private func append(_ cells: Cells, to column: TextColumn, _ field: ArrowField) throws(LanceError) {
        switch column.type {
        case .int64: try appendNumbers(cells, to: column, field) { IntegerText.signed($0, $1) }
        case .float64: try appendNumbers(cells, to: column, field) { FloatText.double($0, $1) }
        default:
            var next = tokenizer.cells + cells.first
            for _ in 0..<cells.count {
                try append(next.pointee, to: column, field, ascii: cells.ascii)
                next += cells.step
            }
        }
    }

    /// The most frequent types: numbers are collected and handed over by the run.
    @inline(__always)
    private func appendNumbers<T: BitwiseCopyable>(
        _ cells: Cells,
        to column: TextColumn,
        _ field: ArrowField,
        _ parse: (UnsafePointer<UInt8>, Int) -> T?
    ) throws(LanceError) {
        let base = tokenizer.window.base
        let run = nested.numbers(of: T.self, count: cells.count)
        var count = 0
        var next = tokenizer.cells + cells.first
        for _ in 0..<cells.count {
            let cell = next.pointee
            next += cells.step
            if cell.count > 0, let value = parse(base + cell.start, cell.count) {
                run[count] = value
                count &+= 1
                continue
            }
            // Nulls, blanks around the number, and what is no number.
            column.builder.append(rawContentsOf: UnsafeBufferPointer(start: run, count: count))
            count = 0
            try append(cell, to: column, field, ascii: cells.ascii)
        }
        column.builder.append(rawContentsOf: UnsafeBufferPointer(start: run, count: count))
    }

    private func append(
        _ cell: CSVCell,
        to column: TextColumn,
        _ field: ArrowField,
        ascii: Bool
    ) throws(LanceError) {
        var (text, count) = (tokenizer.window.base + cell.start, cell.count)
        if count == 0, !cell.isQuoted || !column.hasEmptyValue {
            guard field.nullable else { throw emptyCell(cell, field) }
            return column.builder.appendNull()
        }
        if column.isNested { return try appendNested(cell, to: column, field) }
        if !column.isText { (text, count) = trimmed(text, count) }
        let fits: Bool
        if cell.hasEscapes {
            fits = try nested.withText(of: tokenizer.unescaped(cell)) { (text, count) throws(LanceError) in
                try column.append(text, count, ascii: ascii)
            }
        } else {
            fits = try column.append(text, count, ascii: ascii)
        }
        if !fits { throw invalid(cell, column, field) }
    }

    private func appendNested(_ cell: CSVCell, to column: TextColumn, _ field: ArrowField) throws(LanceError) {
        do throws(JSONFault) {
            try nested.parse(tokenizer.unescaped(cell), into: column, nullable: field.nullable)
        } catch {
            throw .invalidArgument("\(place(cell, field)): \(error.description)")
        }
    }

    private func place(_ cell: CSVCell, _ field: ArrowField) -> String {
        "line \(tokenizer.line(of: cell)), column \"\(field.name)\""
    }

    private func emptyCell(_ cell: CSVCell, _ field: ArrowField) -> LanceError {
        .invalidArgument("\(place(cell, field)): an empty cell (null), but the schema says not null")
    }

    private func invalid(_ cell: CSVCell, _ column: TextColumn, _ field: ArrowField) -> LanceError {
        let text = tokenizer.unescaped(cell)
        let shown = text.withUnsafeBufferPointer(\.quotedForMessage)
        if column.isText { return .corrupt("\(place(cell, field)): \(shown) is not valid UTF-8") }
        return .invalidArgument("\(place(cell, field)): \(shown) is no value of \(field.type)")
    }
}

/// Memory for cells that have to be copied before they are read (those with doubled quotes, and JSON), and for runs of
/// numbers.
private final class CellScratch {
    private var run = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 8)
    private var runBytes = 8192
    private let scratch = JSONScanner.Scratch()
    private let parser = JSONColumnParser()

    deinit { run.deallocate() }

    /// Room for `count` values of at most eight bytes; the one room there is.
    func numbers<T: BitwiseCopyable>(of type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
        if runBytes < count * 8 {
            run.deallocate()
            runBytes = count * 8
            run = .allocate(byteCount: runBytes, alignment: 8)
        }
        return run.bindMemory(to: T.self, capacity: count)
    }

    /// Calls `body` with the text, followed by eight NUL bytes.
    func withText<R, E: Error>(
        of text: [UInt8],
        _ body: (UnsafePointer<UInt8>, Int) throws(E) -> R
    ) throws(E) -> R {
        let padded = ArrowBuffer(text + [UInt8](repeating: 0, count: 8))
        defer { withExtendedLifetime(padded) {} }
        return try body(padded.start.assumingMemoryBound(to: UInt8.self), text.count)
    }

    /// Appends the JSON value that is the text.
    func parse(_ text: [UInt8], into column: TextColumn, nullable: Bool) throws(JSONFault) {
        try withText(of: text) { (base, count) throws(JSONFault) in
            var scanner = JSONScanner(base, from: 0, to: count, scratch: scratch)
            try parser.parse(&scanner, into: column, nullable: nullable, depth: 0)
            try scanner.expectEnd()
        }
    }
}
