import LancerBytes
import LancerProto

extension Lance_Table_U64Segment {
    private static var damaged: LanceError { .corrupt("a sequence of row ids contradicts itself") }

    /// Gives the values in order, as ranges. Work and memory follow the bytes of the message.
    ///
    /// - Throws: `corrupt`, and what `body` throws.
    func visit(_ body: (Swift.Range<UInt64>) throws(LanceError) -> Void) throws(LanceError) {
        switch segment {
        case .range(let range): try body(try Self.checked(range.start, range.end))
        case .rangeWithHoles(let part):
            var position = part.start
            let range = try Self.checked(part.start, part.end)
            for hole in try part.holes.values() {
                guard hole >= position, hole < range.upperBound else { throw Self.damaged }
                if hole > position { try body(position..<hole) }
                position = hole + 1
            }
            if position < range.upperBound { try body(position..<range.upperBound) }
        case .rangeWithBitmap(let part): try Self.visit(part, body)
        case .sortedArray(let array), .array(let array):
            for value in try array.values() {
                guard value < .max else { throw Self.damaged }
                try body(value..<(value + 1))
            }
        case nil: break
        }
    }

    private static func visit(
        _ part: RangeWithBitmap,
        _ body: (Swift.Range<UInt64>) throws(LanceError) -> Void
    ) throws(LanceError) {
        let range = try checked(part.start, part.end)
        let bits = Array(part.bitmap)
        guard range.upperBound - range.lowerBound <= UInt64(bits.count) * 8 else { throw damaged }
        var start: UInt64?
        var position = range.lowerBound
        while position < range.upperBound {
            let bit = Int(position - range.lowerBound)
            let isThere = bits[bit >> 3] >> UInt8(bit & 7) & 1 == 1
            if isThere, start == nil { start = position }
            if !isThere, let first = start {
                try body(first..<position)
                start = nil
            }
            position += 1
        }
        if let first = start { try body(first..<position) }
    }

    private static func checked(_ start: UInt64, _ end: UInt64) throws(LanceError) -> Swift.Range<UInt64> {
        guard start <= end, end - start <= UInt64(UInt32.max) else { throw damaged }
        return start..<end
    }

    /// How many values there are.
    ///
    /// - Throws: `corrupt`.
    func valueCount() throws(LanceError) -> Int {
        var count = 0
        try visit { (values) throws(LanceError) in count = try count.adding(values.count, "the number of rows") }
        return count
    }
}

extension Lance_Table_EncodedU64Array {
    /// The numbers.
    ///
    /// - Throws: `corrupt` for bytes that are no whole numbers, or numbers beyond 64 bits.
    fileprivate func values() throws(LanceError) -> [UInt64] {
        switch array {
        case .u16Array(let part): return try Self.sums(part.base, Array(part.offsets), UInt16.self)
        case .u32Array(let part): return try Self.sums(part.base, Array(part.offsets), UInt32.self)
        case .u64Array(let part): return try Self.sums(0, Array(part.values), UInt64.self)
        case nil: return []
        }
    }

    private static func sums<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ base: UInt64,
        _ bytes: [UInt8],
        _ type: T.Type
    ) throws(LanceError) -> [UInt64] {
        let width = MemoryLayout<T>.size
        guard bytes.count.isMultiple(of: width) else { throw .corrupt("an array of row ids is cut off") }
        let numbers = bytes.withUnsafeBytes { raw in
            stride(from: 0, to: raw.count, by: width).map {
                UInt64(T(littleEndian: raw.loadUnaligned(fromByteOffset: $0, as: T.self)))
            }
        }
        guard let highest = numbers.max(), base.addingReportingOverflow(highest).overflow else {
            return numbers.map { $0 &+ base }
        }
        throw .corrupt("an array of row ids is out of range")
    }
}
