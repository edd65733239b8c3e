import LancerBytes

/// Where the chunks of a mini-block page are, and which rows and values they hold.
///
/// ```
/// buffer 0, one word a chunk (u16 in 2.1, u32 in 2.2):  (chunk bytes / 8 - 1) << 4 | log2(values)
/// repetition index, u64[2] a chunk:                     rows that finish here, levels left over after them
/// ```
/// The last chunk has what is left of the page's values, whatever its word says.
/// Spec: 03-mini-block.md, "Chunk words" and "Repetition index".
package struct MiniBlockChunks: Sendable {
    /// Byte offset of each chunk in buffer 1, and the end.
    package let byteOffsets: [Int]
    /// Number of the first value of each chunk, and the end.
    package let valueOffsets: [Int]
    /// Rows finished before each chunk, and all; empty for columns without lists, whose rows are their values.
    package let rowOffsets: [Int]
    /// Whether each chunk starts in the middle of a row.
    package let continuesRow: [Bool]

    /// All chunks but the last hold two to the power of so many values; nil when they differ.
    private let evenCountLog: Int?

    /// Number of chunks.
    package var count: Int { byteOffsets.count - 1 }

    package init(
        words: ArrowBuffer,
        repetitionIndex: ArrowBuffer?,
        layout: MiniBlockLayout,
        dataBytes: Int,
        rowCount: Int
    ) throws(LanceError) {
        let wordSize = layout.hasLargeChunks ? 4 : 2
        guard words.count % wordSize == 0 else {
            throw .corrupt("chunk words of \(words.count) bytes", part: "page buffer 0")
        }
        let count = words.count / wordSize
        guard count > 0 || layout.itemCount == 0 else {
            throw .corrupt("a page of \(layout.itemCount) values without chunks", part: "page buffer 0")
        }
        var byteOffsets = [0]
        var valueOffsets = [0]
        byteOffsets.reserveCapacity(count + 1)
        valueOffsets.reserveCapacity(count + 1)
        var reader = ByteReader(words, what: "chunk words")
        for index in 0..<count {
            let word = wordSize == 4 ? try reader.read(UInt32.self) : UInt32(try reader.read(UInt16.self))
            // 2^28 * 8 bytes at most: the sums stay far below overflow.
            let end = byteOffsets[index] + (Int(word >> 4) + 1) * 8
            guard end <= dataBytes else {
                throw .corrupt("chunk \(index) ends at \(end) of \(dataBytes) bytes", part: "page buffer 1")
            }
            byteOffsets.append(end)
            let first = valueOffsets[index]
            if index == count - 1 {
                guard first <= layout.itemCount else {
                    throw .corrupt("chunks hold \(first) values, the page \(layout.itemCount)", part: "page buffer 0")
                }
                valueOffsets.append(layout.itemCount)
            } else {
                let log = word & 15
                guard log > 0 else {
                    throw .corrupt("chunk \(index) of \(count) has the count of a last chunk", part: "page buffer 0")
                }
                valueOffsets.append(first + 1 << Int(log))
            }
        }
        self.byteOffsets = byteOffsets
        self.valueOffsets = valueOffsets
        let firstCount = count > 1 ? valueOffsets[1] : 0
        let isEven = count > 1 && (1..<count).allSatisfy { valueOffsets[$0] == $0 * firstCount }
        evenCountLog = isEven ? firstCount.trailingZeroBitCount : nil
        if layout.layers.maxRepetition == 0 {
            guard layout.itemCount == rowCount else {
                throw .corrupt("a page of \(rowCount) rows holds \(layout.itemCount) values")
            }
            rowOffsets = []
            continuesRow = []
            return
        }
        guard let repetitionIndex else { throw .unsupported("a list page without repetition index") }
        guard repetitionIndex.count == count * 16 else {
            throw .corrupt("a repetition index of \(repetitionIndex.count) bytes for \(count) chunks")
        }
        var rowOffsets = [0]
        var continuesRow: [Bool] = []
        var leftover = false
        reader = ByteReader(repetitionIndex, what: "repetition index")
        for index in 0..<count {
            let finished = try reader.read(UInt64.self)
            guard finished <= UInt64(rowCount - rowOffsets[index]) else {
                throw .corrupt("the repetition index counts more than \(rowCount) rows")
            }
            rowOffsets.append(rowOffsets[index] + Int(finished))
            continuesRow.append(leftover)
            leftover = try reader.read(UInt64.self) > 0
        }
        guard rowOffsets[count] == rowCount, !leftover else {
            throw .corrupt("the repetition index counts \(rowOffsets[count]) of \(rowCount) rows")
        }
        self.rowOffsets = rowOffsets
        self.continuesRow = continuesRow
    }

    /// The chunks that hold levels of rows `rows` (not empty, inside the page).
    package func chunks(for rows: Range<Int>) -> Range<Int> {
        if rowOffsets.isEmpty {
            return chunk(ofValue: rows.lowerBound)..<(chunk(ofValue: rows.upperBound - 1) + 1)
        }
        // The row finishes in the first chunk with more finished rows after it; it starts there or further back.
        var first = Self.last(rowOffsets, notAbove: rows.lowerBound)
        while first > 0, rowOffsets[first] == rows.lowerBound, continuesRow[first] { first -= 1 }
        let last = Self.last(rowOffsets, notAbove: rows.upperBound - 1)
        return first..<(last + 1)
    }

    /// About how many stored bytes some rows have: their share of the chunks they are in.
    func expectedBytes(of rows: Range<Int>) -> Int {
        if rows.isEmpty { return 0 }
        let span = chunks(for: rows)
        let bytes = byteOffsets[span.upperBound] - byteOffsets[span.lowerBound]
        let offsets = rowOffsets.isEmpty ? valueOffsets : rowOffsets
        let all = Swift.max(offsets[span.upperBound] - offsets[span.lowerBound], rows.count)
        // The share is at most 1, and both counts are far below 2^53.
        return Int(Double(bytes) * (Double(rows.count) / Double(all)))
    }

    /// The chunk that holds a value, of a column without lists.
    @inline(__always)
    func chunk(ofValue value: Int) -> Int {
        // The last one may hold more than the others.
        if let log = evenCountLog { return Swift.min(value >> log, count - 1) }
        return Self.last(valueOffsets, notAbove: value)
    }

    /// Whether every level of a chunk of a list column belongs to one of `rows`.
    func isWhole(_ chunk: Int, in rows: Range<Int>) -> Bool {
        // A row that goes on in the next chunk is not counted as finished here.
        let goesOn = chunk + 1 < count && continuesRow[chunk + 1]
        return rows.lowerBound <= rowOffsets[chunk] && rowOffsets[chunk + 1] + (goesOn ? 1 : 0) <= rows.upperBound
    }

    /// The last index whose offset is not above `value`; offsets ascend, the last one is above.
    private static func last(_ offsets: [Int], notAbove value: Int) -> Int {
        var low = 0
        var high = offsets.count - 1
        while low < high {
            let middle = (low + high) / 2
            if offsets[middle + 1] <= value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
