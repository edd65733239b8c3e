import LancerArrow
import LancerBytes

/// The keys of some rows as runs of bytes, which are the same exactly when the keys are equal.
///
/// A row with a null among its key columns has no key: null equals nothing. Nulls inside a struct or a list that is a
/// key are values like others. Floats are compared by their bits, so NaN equals itself and 0 is not -0.
struct EncodedKeys: Sendable {
    private enum Layout: Sendable {
        /// All runs have this length.
        case fixed(Int)
        /// Offsets of 4 or 8 bytes.
        case variable(ArrowBuffer, width: Int)

        /// Where the run of `row` is.
        func range(_ row: Int) -> Range<Int> {
            switch self {
            case .fixed(let width): (row * width)..<((row + 1) * width)
            case .variable(let offsets, let width):
                offsets.offset(at: row, width: width)..<offsets.offset(at: row + 1, width: width)
            }
        }
    }

    /// Number of rows.
    let count: Int
    /// The rows that have a key; nil for all.
    private let validity: Bitmap?
    private let layout: Layout
    private let bytes: ArrowBuffer

    /// Encodes rows of key columns; the columns' types must be the same on both sides of a comparison.
    ///
    /// - Throws: `limitExceeded`.
    init(_ columns: [ArrowArray], rowCount: Int) throws(LanceError) {
        count = rowCount
        var parts: [(layout: Layout, bytes: ArrowBuffer)] = []
        var validity: Bitmap?
        for column in columns {
            let part = try Self.part(column)
            parts.append((part.layout, part.bytes))
            validity = Bitmap.both(validity, part.validity)
        }
        self.validity = validity
        (layout, bytes) = parts.count == 1 ? parts[0] : Self.joined(parts, rowCount)
    }

    /// One column. A single column of the usual types is used as it is.
    private static func part(
        _ column: ArrowArray
    ) throws(LanceError) -> (layout: Layout, bytes: ArrowBuffer, validity: Bitmap?) {
        switch column.storage {
        case .fixedWidth(let values):
            return (.fixed(column.type.byteWidth ?? 0), values, column.validity)
        case .variableWidth(let offsets, let data) where column.length > 0:
            return (.variable(offsets, width: column.type.offsetWidth ?? 4), data, column.validity)
        case .boolean(let bits):
            let bytes = ArrowBuffer((0..<column.length).map { bits[$0] ? UInt8(1) : 0 })
            return (.fixed(1), bytes, column.validity)
        case .null:
            return (.fixed(0), ArrowBuffer(zeroed: 0), Bitmap(repeating: false, count: column.length))
        case .dictionary(let indices, let values):
            let width = column.type.byteWidth ?? 4
            var rows = [Int](repeating: -1, count: column.length)
            for row in 0..<column.length where !column.isNull(row) {
                rows[row] = indices.dictionaryIndex(at: row, width: width)
            }
            return try part(try values.gather(rows))
        case .list, .fixedSizeList, .structure, .variableWidth:
            var ends: [Int64] = [0]
            var bytes: [UInt8] = []
            for row in 0..<column.length {
                if !column.isNull(row) { column.appendKey(of: row, to: &bytes) }
                ends.append(Int64(bytes.count))
            }
            return (.variable(ArrowBuffer(ends), width: 8), ArrowBuffer(bytes), column.validity)
        }
    }

    /// Several columns: the runs of a row behind each other, those of variable length with their length in front.
    private static func joined(
        _ parts: [(layout: Layout, bytes: ArrowBuffer)],
        _ count: Int
    ) -> (layout: Layout, bytes: ArrowBuffer) {
        var buffer = BufferBuilder()
        var ends: [Int64] = [0]
        ends.reserveCapacity(count + 1)
        for row in 0..<count {
            for part in parts {
                let range = part.layout.range(row)
                if case .variable = part.layout { buffer.append(Int64(range.count)) }
                part.bytes.withUnsafeBytes { buffer.append(UnsafeRawBufferPointer(rebasing: $0[range])) }
            }
            ends.append(Int64(buffer.count))
        }
        return (.variable(ArrowBuffer(ends), width: 8), buffer.finish())
    }

    /// Hands over the rows that have a key, in order.
    func visit(_ body: (_ row: Int, _ key: UnsafeRawBufferPointer) -> Void) {
        bytes.withUnsafeBytes { all in
            for row in 0..<count {
                if let validity, !validity[row] { continue }
                body(row, UnsafeRawBufferPointer(rebasing: all[layout.range(row)]))
            }
        }
    }
}
