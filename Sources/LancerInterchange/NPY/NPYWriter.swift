import LancerArrow
import LancerBytes

/// Writes one column as a NumPy `.npy` file (version 1.0, little-endian, C order).
///
/// Numbers and booleans become an array of one dimension, fixed-size lists of them a matrix. NPY has no nulls.
///
/// The header, which comes first, holds the row count. Give the count to the initialiser when it is known; else write
/// to something that can be changed afterwards, and put the header that ``finish()`` returns at its start: it has the
/// same size whatever the count.
package struct NPYWriter {
    private let name: String
    private let type: ArrowType
    private let columns: Int?
    private let expectedRows: Int?
    private var sink: any ByteSink
    /// Rows written so far.
    package private(set) var rowCount = 0

    /// Starts a file; the header is written at once.
    ///
    /// - Parameters:
    ///   - field: The column.
    ///   - rowCount: Number of rows that will be written, nil when it is not known yet.
    ///   - sink: Takes the file.
    /// - Throws: `unsupported` for types that NPY does not have; what the sink throws.
    package init(field: ArrowField, rowCount: Int?, sink: any ByteSink) throws(LanceError) {
        name = field.name
        expectedRows = rowCount
        self.sink = sink
        if case .fixedSizeList(let item, let size) = field.type {
            (type, columns) = (item.type, size)
        } else {
            (type, columns) = (field.type, nil)
        }
        try self.sink.write(try NPYHeader.bytes(type: type, rows: rowCount ?? 0, columns: columns))
    }

    /// Writes the values of an array of the column's type.
    ///
    /// - Throws: `invalidArgument` naming column and row of a null; `schemaMismatch` for another type; what the sink
    ///   throws.
    package mutating func write(_ array: ArrowArray) throws(LanceError) {
        var values = array
        try refuseNulls(array, itemsPerRow: 1)
        if case .fixedSizeList(let child) = array.storage, let columns {
            guard case .fixedSizeList(_, columns) = array.type else { throw mismatch(array.type) }
            try refuseNulls(child, itemsPerRow: Swift.max(columns, 1))
            values = child
        } else if columns != nil {
            throw mismatch(array.type)
        }
        guard values.type == type else { throw mismatch(array.type) }
        if let expectedRows, array.length > expectedRows - rowCount {
            throw .invalidArgument("an NPY file for \(expectedRows) rows gets \(rowCount + array.length)")
        }
        switch values.storage {
        case .fixedWidth(let buffer): if buffer.count > 0 { try sink.write(buffer) }
        case .boolean(let bits):
            if bits.count > 0 { try sink.write(ArrowBuffer((0..<bits.count).map { bits[$0] ? UInt8(1) : 0 })) }
        default: throw mismatch(array.type)
        }
        rowCount += array.length
    }

    /// Ends the file and returns its header with the final row count, for the start of the file.
    ///
    /// - Throws: `invalidArgument` when another number of rows was promised.
    package func finish() throws(LanceError) -> ArrowBuffer {
        if let expectedRows, expectedRows != rowCount {
            throw .invalidArgument("an NPY file for \(expectedRows) rows got \(rowCount)")
        }
        return try NPYHeader.bytes(type: type, rows: rowCount, columns: columns)
    }

    private func refuseNulls(_ array: ArrowArray, itemsPerRow: Int) throws(LanceError) {
        guard array.nullCount > 0, let index = (0..<array.length).first(where: { array.isNull($0) }) else { return }
        let row = rowCount + index / itemsPerRow
        let item = itemsPerRow == 1 ? "" : ", item \(index % itemsPerRow)"
        throw .invalidArgument("column \"\(name)\", row \(row)\(item) is null, which NPY cannot hold")
    }

    private func mismatch(_ other: ArrowType) -> LanceError {
        .schemaMismatch("\(other) values in an NPY file of \(columns.map { "rows of \($0) " } ?? "")\(type)")
    }
}
