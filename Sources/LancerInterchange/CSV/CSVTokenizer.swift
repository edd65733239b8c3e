import LancerArrow
import LancerBytes

/// One cell of a block of rows: where its text lies in the window.
///
/// Bits 0–31 are the start, bits 32–61 the length, bit 62 says that quotes inside are doubled, bit 63 that the cell
/// was quoted (start and length are those of the text between the quotes).
struct CSVCell {
    let bits: UInt64

    static let quotedFlag: UInt64 = 1 << 63
    static let escapedFlag: UInt64 = 1 << 62

    var start: Int { Int(truncatingIfNeeded: bits & 0xFFFF_FFFF) }
    var count: Int { Int(truncatingIfNeeded: bits >> 32 & 0x3FFF_FFFF) }
    var isQuoted: Bool { bits & Self.quotedFlag != 0 }
    var hasEscapes: Bool { bits & Self.escapedFlag != 0 }
    /// Whether the cell is empty and not quoted.
    var isNull: Bool { bits >> 32 == 0 }
}

/// Cuts a CSV text into blocks of rows and rows into cells, without looking at the cells.
final class CSVTokenizer {
    let window: InputWindow
    private let delimiter: UInt8
    private let batchRows: Int
    private let batchBytes: Int

    /// Cells of the block, row after row.
    private(set) var cells: UnsafeMutablePointer<CSVCell>
    private var capacity = 4096
    private var cellCount = 0
    /// Rows of the block.
    private(set) var rowCount = 0
    /// Cells of every row; 0 when it is not known yet.
    private(set) var columnCount = 0
    /// Where the block's text ends.
    private(set) var blockEnd = 0
    private var columnNames: [String] = []

    init(_ stream: any ByteStream, _ options: CSVOptions) throws(LanceError) {
        let forbidden: [UInt8] = [0x22, 0x0A, 0x0D, 0x00]
        guard options.delimiter < 0x80, !forbidden.contains(options.delimiter) else {
            throw .invalidArgument("a CSV delimiter is one ASCII character other than a quote, CR, LF or NUL")
        }
        delimiter = options.delimiter
        // Without a header the schema says how many cells a row has; so a single empty cell in front counts as a row.
        if !options.header, let schema = options.schema { columnCount = schema.fields.count }
        batchRows = Swift.max(options.batchRows, 1)
        batchBytes = Swift.max(options.batchBytes, 64)
        window = InputWindow(stream, refill: batchBytes)
        cells = .allocate(capacity: capacity)
        try window.skipByteOrderMark()
        blockEnd = window.start
    }

    deinit { cells.deallocate() }

    /// Reads the first row as column names.
    ///
    /// - Throws: `corrupt` when there is none or a name is not UTF-8, `invalidArgument` when a name occurs twice.
    func readHeader() throws(LanceError) -> [String] {
        guard try next(limit: 1) else { throw .corrupt("the CSV text is empty: no header, no rows") }
        var names: [String] = []
        var seen: Set<String> = []
        for column in 0..<columnCount {
            let cell = cells[column]
            let text = unescaped(cell)
            guard
                text.withUnsafeBufferPointer({ bytes in
                    bytes.baseAddress.map { ByteScan.isUTF8($0, bytes.count) } ?? true
                })
            else { throw .corrupt("line \(line(of: cell)): column name \(column + 1) is not UTF-8") }
            let name = text.isEmpty ? "f\(column)" : String(decoding: text, as: UTF8.self)
            guard seen.insert(name).inserted else {
                throw .invalidArgument("line \(line(of: cell)): two columns are called \"\(name)\"")
            }
            names.append(name)
        }
        columnNames = names
        return names
    }

    /// Cuts the next block of at least one row; false at the end. Cells of the block before are gone.
    ///
    /// - Throws: `corrupt` for ragged rows and misplaced or unclosed quotes; what the stream throws.
    func next(limit: Int? = nil) throws(LanceError) -> Bool {
        window.consume(to: blockEnd)
        if !window.atEnd, window.end - window.start < batchBytes / 2 { try window.fill() }
        while true {
            try scan(limit: limit ?? batchRows)
            if rowCount > 0 { return true }
            if window.atEnd { return false }
            window.consume(to: blockEnd)
            try window.fill()
        }
    }

    /// The line, from 1, on which a cell of the block starts.
    func line(of cell: CSVCell) -> Int { window.line(at: cell.start) }

    /// The text of a cell with doubled quotes made single.
    func unescaped(_ cell: CSVCell) -> [UInt8] {
        let text = TextBytes(start: window.base + cell.start, count: cell.count)
        guard cell.hasEscapes else { return Array(text) }
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            result.append(text[index])
            index += text[index] == 0x22 ? 2 : 1
        }
        return result
    }

    // MARK: Scanning

    private enum RowEnd {
        case row(next: Int)
        case incomplete
    }

    private func scan(limit: Int) throws(LanceError) {
        rowCount = 0
        cellCount = 0
        blockEnd = window.start
        let end = window.end
        while rowCount < limit, blockEnd < end, blockEnd - window.start < batchBytes {
            let firstCell = cellCount
            guard case .row(let next) = try scanRow(from: blockEnd) else {
                cellCount = firstCell
                return
            }
            let count = cellCount - firstCell
            if count == columnCount, count != 1 {
                rowCount += 1
            } else if count == 1, cells[firstCell].isNull, columnCount != 1 {
                // A blank line, or blank lines before the first row.
                cellCount = firstCell
            } else if columnCount == 0 {
                columnCount = count
                rowCount += 1
            } else if count == columnCount {
                rowCount += 1
            } else {
                throw ragged(firstCell: firstCell, count: count, at: blockEnd)
            }
            blockEnd = next
        }
    }

    /// Cuts one row that starts at `start`; its cells are appended.
    private func scanRow(from start: Int) throws(LanceError) -> RowEnd {
        let base = window.base
        let end = window.end
        let delimiter = self.delimiter
        let delimiters = ByteScan.spread(delimiter)
        let lineFeeds = ByteScan.spread(0x0A)
        let returns = ByteScan.spread(0x0D)
        var cells = self.cells
        var count = cellCount
        defer { cellCount = count }
        var cellStart = start
        var wordStart = start
        var found = ByteScan.matches(ByteScan.load(base + start), delimiters, lineFeeds, returns)
        while true {
            if count == capacity {
                cellCount = count
                grow()
                cells = self.cells
            }
            var mark: Int
            if cellStart < end, base[cellStart] == 0x22 {
                var flags = CSVCell.quotedFlag
                guard let close = try closingQuote(from: cellStart, &flags) else { return .incomplete }
                let length = UInt64(close - cellStart - 1)
                cells[count] = CSVCell(bits: UInt64(cellStart + 1) | length << 32 | flags)
                mark = close + 1
                if mark < end, base[mark] != delimiter, base[mark] != 0x0A, base[mark] != 0x0D {
                    throw .corrupt(
                        "line \(window.line(at: mark)): text behind a closing quote; a quote inside a quoted cell is doubled"
                    )
                }
                wordStart = mark
                found = ByteScan.matches(ByteScan.load(base + mark), delimiters, lineFeeds, returns)
                // The mark itself is dealt with here.
                found &= found &- 1
            } else {
                while found == 0, wordStart < end {
                    wordStart += 8
                    if wordStart < end {
                        found = ByteScan.matches(ByteScan.load(base + wordStart), delimiters, lineFeeds, returns)
                    }
                }
                mark = found == 0 ? end : Swift.min(wordStart + found.trailingZeroBitCount >> 3, end)
                found &= found &- 1
                cells[count] = CSVCell(bits: UInt64(cellStart) | UInt64(mark - cellStart) << 32)
            }
            count += 1
            if mark >= end { return window.atEnd ? .row(next: end) : .incomplete }
            if base[mark] == delimiter {
                cellStart = mark + 1
                continue
            }
            if base[mark] == 0x0A { return .row(next: mark + 1) }
            // A CR; the LF that may belong to it can still be under way.
            if mark + 1 < end { return .row(next: base[mark + 1] == 0x0A ? mark + 2 : mark + 1) }
            return window.atEnd ? .row(next: mark + 1) : .incomplete
        }
    }

    /// Position of the quote that closes the cell opened at `open`; nil when more text is needed.
    private func closingQuote(from open: Int, _ flags: inout UInt64) throws(LanceError) -> Int? {
        let base = window.base
        let end = window.end
        var position = open + 1
        while let quote = ByteScan.firstIndex(of: 0x22, in: base, from: position, to: end) {
            if quote + 1 == end { return window.atEnd ? quote : nil }
            if base[quote + 1] != 0x22 { return quote }
            flags |= CSVCell.escapedFlag
            position = quote + 2
        }
        if window.atEnd {
            throw .corrupt("line \(window.line(at: open)): a quoted cell starts here and is never closed")
        }
        return nil
    }

    private func grow() {
        let larger = UnsafeMutablePointer<CSVCell>.allocate(capacity: capacity * 2)
        larger.update(from: cells, count: cellCount)
        cells.deallocate()
        cells = larger
        capacity *= 2
    }

    private func ragged(firstCell: Int, count: Int, at start: Int) -> LanceError {
        let line = window.line(at: start)
        func name(_ column: Int) -> String {
            column < columnNames.count ? "\(column + 1) \"\(columnNames[column])\"" : "\(column + 1)"
        }
        let cells = count == 1 ? "1 cell" : "\(count) cells"
        if count < columnCount {
            return .corrupt(
                "line \(line) has \(cells) where \(columnCount) are expected: nothing for column \(name(count))"
            )
        }
        let extra = unescaped(self.cells[firstCell + columnCount]).withUnsafeBufferPointer(\.quotedForMessage)
        return .corrupt(
            "line \(line) has \(cells) where \(columnCount) are expected: cell \(columnCount + 1) is \(extra)"
        )
    }
}
