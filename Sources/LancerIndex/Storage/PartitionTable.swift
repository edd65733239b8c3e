import FoundationEssentials
import LancerBytes
import LancerProto
import SwiftProtobuf

/// Where the rows of each partition are in one of an index's files.
struct PartitionTable: Sendable {
    /// Rows of each partition, in the file.
    let ranges: [Range<Int>]

    /// Rows of all partitions.
    var rowCount: Int { ranges.reduce(0) { $0 + $1.count } }

    /// The table of a stored message, checked: every range is inside the file, and they do not overlap.
    ///
    /// - Throws: `corrupt`.
    init(_ message: Lance_Index_Pb_IVF, rowsInFile: Int) throws(LanceError) {
        guard message.offsets.count == message.lengths.count else {
            throw .corrupt("\(message.offsets.count) partitions begin, but \(message.lengths.count) have a length")
        }
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(message.offsets.count)
        for (number, (offset, length)) in zip(message.offsets, message.lengths).enumerated() {
            guard let start = Int(exactly: offset), start <= rowsInFile, Int(length) <= rowsInFile - start else {
                throw .corrupt(
                    "partition \(number) has \(length) rows from \(offset) on, the file has \(rowsInFile) rows"
                )
            }
            ranges.append(start..<start + Int(length))
        }
        // Without this, a small file could stand for any number of rows.
        var end = 0
        for range in ranges.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard range.lowerBound >= end else {
                throw .corrupt("two partitions have the same row \(range.lowerBound)")
            }
            end = range.upperBound
        }
        self.ranges = ranges
    }

    /// The message of consecutive partitions.
    static func message(lengths: [Int]) throws(LanceError) -> Lance_Index_Pb_IVF {
        var message = Lance_Index_Pb_IVF()
        var start: UInt64 = 0
        for length in lengths {
            guard let short = UInt32(exactly: length) else {
                throw .limitExceeded("\(length) rows are too many for one partition; use more partitions")
            }
            message.offsets.append(start)
            message.lengths.append(short)
            start += UInt64(short)
        }
        return message
    }
}

extension Lance_Index_Pb_IVF {
    /// Reads a stored message.
    ///
    /// - Throws: `corrupt`.
    init(stored bytes: ArrowBuffer) throws(LanceError) {
        do {
            try self.init(serializedBytes: bytes.bytes)
        } catch {
            throw LanceError(.corrupt, "the partitions of the index are not a valid message", cause: error)
        }
    }
}

extension Lance_Index_Pb_Tensor {
    /// A matrix of numbers as the file keeps them.
    init(_ values: ArrowBuffer, _ element: VectorElementType, rows: Int, columns: Int) {
        self.init()
        dataType =
            switch element {
            case .float16: .float16
            case .float32: .float32
            case .float64: .float64
            }
        shape = [UInt32(rows), UInt32(columns)]
        data = values.withUnsafeBytes { Data($0) }
    }

    /// The numbers of a stored matrix with its shape, checked against each other.
    ///
    /// - Throws: `corrupt`; `unsupported` for numbers of another type.
    func matrix(
        _ what: String
    ) throws(LanceError) -> (values: ArrowBuffer, element: VectorElementType, rows: Int, columns: Int) {
        let element: VectorElementType
        switch dataType {
        case .float16: element = .float16
        case .float32: element = .float32
        case .float64: element = .float64
        default: throw .unsupported("\(what) of type \(dataType)")
        }
        guard shape.count == 2, shape[0] > 0, shape[1] > 0 else {
            throw .corrupt("\(what) have shape \(shape), not a matrix's")
        }
        let rows = Int(shape[0])
        let columns = Int(shape[1])
        let count = try rows.multiplied(by: columns, what).multiplied(by: element.byteCount, what)
        guard data.count == count else {
            throw .corrupt("\(what) of shape \(shape) have \(data.count) bytes instead of \(count)")
        }
        return (data.withUnsafeBytes { ArrowBuffer(copying: $0) }, element, rows, columns)
    }
}
