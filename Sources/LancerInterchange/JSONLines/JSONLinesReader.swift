import LancerArrow
import LancerBytes

/// Reads JSON lines as record batches, in memory bounded by the batch size (or the longest line).
///
/// See ``JSONLinesOptions`` for what is read and what it means. Without a schema the text is read twice: once to choose
/// the types from all lines, once for the values.
package struct JSONLinesReader: RecordBatchReader {
    /// Names and types of the columns.
    package let schema: ArrowSchema
    /// Number of rows, when the text was read to choose types.
    package private(set) var inferredRowCount: Int?

    private let lines: JSONLineSource
    private let row: TextColumn
    private let parser: JSONColumnParser
    private let options: JSONLinesOptions
    private let rowLimit: Int

    /// Opens JSON lines.
    ///
    /// - Parameter open: Opens the text at its start; called twice when there is no schema in `options`.
    /// - Throws: `corrupt` for a line that is not a JSON object, or none at all, `invalidArgument` for one that does not go
    ///   with the lines before (naming line and key path), what `open` and the stream throw.
    package init(
        options: JSONLinesOptions = JSONLinesOptions(),
        open: () throws(LanceError) -> any ByteStream
    ) throws(LanceError) {
        self.options = options
        if let given = options.schema {
            schema = given
        } else {
            let kinds = JSONKinds()
            let lines = try JSONLineSource(try open(), refill: options.batchBytes)
            var rows = 0
            while try lines.next({ (scanner) throws(JSONFault) in try kinds.note(&scanner, depth: 0) }) { rows += 1 }
            guard rows > 0 else { throw .corrupt("the JSON text is empty: no objects") }
            inferredRowCount = rows
            schema = ArrowSchema(kinds.fields)
        }
        rowLimit = schema.rowLimit(options.batchRows)
        row = try TextColumn(.structure(schema.fields))
        parser = JSONColumnParser(skipsOtherKeys: options.skipsOtherKeys)
        lines = try JSONLineSource(try open(), refill: options.batchBytes)
    }

    /// The next batch, or nil at the end.
    ///
    /// - Throws: `corrupt` naming line and key path of what is not JSON, `invalidArgument` of what is no value of its type;
    ///   what the stream throws.
    package mutating func next() throws(LanceError) -> RecordBatch? {
        let start = lines.bytesTaken
        var rows = 0
        let (row, parser) = (self.row, self.parser)
        while rows < rowLimit, lines.bytesTaken - start < UInt64(options.batchBytes),
            try lines.next({ (scanner) throws(JSONFault) in
                try parser.structure(&scanner, into: row, depth: 0)
            })
        {
            rows += 1
        }
        guard rows > 0 else { return nil }
        guard case .structure(let columns) = row.finish().storage else { return nil }
        return try RecordBatch(schema: schema, columns: columns, rowCount: rows)
    }
}

/// The lines of a text, each given to a JSON scanner.
private final class JSONLineSource {
    private let window: InputWindow
    private let scratch = JSONScanner.Scratch()
    /// Where the next line starts.
    private var position: Int
    private let refill: Int

    init(_ stream: any ByteStream, refill: Int) throws(LanceError) {
        self.refill = Swift.max(refill, 64)
        window = InputWindow(stream, refill: self.refill)
        try window.skipByteOrderMark()
        position = window.start
    }

    /// Bytes of the text behind the lines given out.
    var bytesTaken: UInt64 { window.bytesBefore + UInt64(position - window.start) }

    /// Gives the next line that is not blank to `body`, and checks that it takes all of it; false at the end.
    func next(_ body: (inout JSONScanner) throws(JSONFault) -> Void) throws(LanceError) -> Bool {
        while let line = try nextLine() {
            var scanner = JSONScanner(window.base, from: line.lowerBound, to: line.upperBound, scratch: scratch)
            scanner.skipBlanks()
            if scanner.position == line.upperBound { continue }
            do throws(JSONFault) {
                guard try scanner.peek() == .object else { throw JSONFault(syntax: "a line holds one object, { … }") }
                try body(&scanner)
                try scanner.expectEnd()
            } catch {
                let message = "line \(window.line(at: line.lowerBound)): \(error.description)"
                throw error.isSyntax ? .corrupt(message) : .invalidArgument(message)
            }
            return true
        }
        return false
    }

    /// The bytes of the next line without its LF.
    private func nextLine() throws(LanceError) -> Range<Int>? {
        while true {
            let start = position
            if let lineFeed = ByteScan.firstIndex(of: 0x0A, in: window.base, from: start, to: window.end) {
                position = lineFeed + 1
                return start..<lineFeed
            }
            if window.atEnd {
                position = window.end
                return start < window.end ? start..<window.end : nil
            }
            window.consume(to: start)
            try window.fill()
            position = window.start
        }
    }
}
