import LancerArrow
import LancerBytes
import LancerIndex

/// Vectors whose neighbours are looked for.
package struct VectorQueries: Sendable {
    /// Number of vectors.
    package let count: Int
    /// Numbers in each.
    package let dimension: Int
    /// The numbers, vector by vector.
    package let floats: [Float]
    /// The same where they were given with more digits than a float has.
    package let doubles: [Double]?

    /// Vectors of floats.
    ///
    /// - Throws: `invalidArgument` when they are not all of one length.
    package init(_ rows: [[Float]]) throws(LanceError) {
        dimension = rows.first?.count ?? 0
        for row in rows where row.count != dimension { throw Self.uneven(dimension, row.count) }
        count = rows.count
        floats = rows.count == 1 ? rows[0] : Array(rows.joined())
        doubles = nil
    }

    /// Vectors of doubles, for columns of such.
    ///
    /// - Throws: `invalidArgument` when they are not all of one length.
    package init(_ rows: [[Double]]) throws(LanceError) {
        dimension = rows.first?.count ?? 0
        for row in rows where row.count != dimension { throw Self.uneven(dimension, row.count) }
        count = rows.count
        let all = Array(rows.joined())
        doubles = all
        floats = all.map { Float($0) }
    }

    private static func uneven(_ first: Int, _ other: Int) -> LanceError {
        .invalidArgument("the query vectors have \(first) and \(other) numbers")
    }

    /// Vectors of a column, back to back.
    ///
    /// - Throws: `invalidArgument` when there are too few bytes.
    init(_ values: ArrowBuffer, count: Int, _ column: VectorColumn) throws(LanceError) {
        let child = ArrowArray(
            type: column.element.arrowType,
            length: count * column.dimension,
            storage: .fixedWidth(values)
        )
        guard values.count >= child.length * column.element.byteCount else {
            throw .invalidArgument("\(values.count) bytes for \(count) vectors")
        }
        let type = ArrowType.fixedSizeList(ArrowField("item", child.type), column.dimension)
        try self.init(ArrowArray(type: type, length: count, storage: .fixedSizeList(child: child)))
    }

    /// The vectors of an array: fixed-size lists of floats, or lists of them.
    ///
    /// - Throws: `invalidArgument` for an array of something else or with nulls.
    package init(_ array: ArrowArray) throws(LanceError) {
        guard case .fixedSizeList(let item, let size) = array.type, case .fixedSizeList(let child) = array.storage,
            case .fixedWidth(let buffer) = child.storage, item.type.isFloat
        else { throw .invalidArgument("queries of type \(array.type); vectors are fixed-size lists of floats") }
        guard array.nullCount == 0, child.nullCount == 0 else { throw .invalidArgument("a query vector is null") }
        count = array.length
        dimension = size
        let total = count * dimension
        switch item.type {
        case .float64:
            let values = buffer.withUnsafeBytes { bytes in
                (0..<total).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
            }
            doubles = values
            floats = values.map { Float($0) }
        case .float32:
            doubles = nil
            floats = buffer.withUnsafeBytes { bytes in
                (0..<total).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
            }
        default:
            doubles = nil
            floats = buffer.withUnsafeBytes { bytes in
                (0..<total).map {
                    Float(HalfFloat.value(bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)))
                }
            }
        }
    }

    /// One of the vectors, as floats.
    package subscript(index: Int) -> ArraySlice<Float> { floats[(index * dimension)..<((index + 1) * dimension)] }
}
