import LancerBytes

/// Writes levels, dictionary indices and booleans as runs and bit-packed groups.
///
/// Spec: Parquet, Encodings, "Run Length Encoding / Bit-Packing Hybrid". Eight equal numbers and more that start at a
/// multiple of eight become a run, everything between is packed.
enum RunLengthEncoder {
    /// Bits that numbers up to `maximum` take.
    static func width(_ maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }

    /// Appends numbers of `width` (0…32) bits.
    static func append<T: FixedWidthInteger & BitwiseCopyable>(
        _ values: UnsafeBufferPointer<T>,
        width: Int,
        to output: inout BufferBuilder
    ) {
        let count = values.count
        var index = 0
        var packedFrom = 0
        while index < count {
            let value = values[index]
            var end = index &+ 1
            while end < count, values[end] == value { end &+= 1 }
            let length = end &- index
            // Groups of eight must be full before a run.
            let missing = (8 &- (index &- packedFrom) & 7) & 7
            if length &- missing >= 8 {
                pack(values, packedFrom..<(index + missing), width: width, to: &output)
                run(UInt32(truncatingIfNeeded: value), length - missing, width: width, to: &output)
                packedFrom = end
            }
            index = end
        }
        pack(values, packedFrom..<count, width: width, to: &output)
    }

    private static func varint(_ value: Int, to output: inout BufferBuilder) {
        var rest = value
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(truncatingIfNeeded: rest))
    }

    private static func run(_ value: UInt32, _ count: Int, width: Int, to output: inout BufferBuilder) {
        varint(count << 1, to: &output)
        for byte in 0..<((width + 7) / 8) { output.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * byte))) }
    }

    private static func pack<T: FixedWidthInteger & BitwiseCopyable>(
        _ values: UnsafeBufferPointer<T>,
        _ range: Range<Int>,
        width: Int,
        to output: inout BufferBuilder
    ) {
        guard !range.isEmpty else { return }
        let groups = (range.count + 7) / 8
        varint(groups << 1 | 1, to: &output)
        let total = groups * width
        output.append(upTo: total) { room in
            guard let target = room.baseAddress else { return 0 }
            var word: UInt64 = 0
            var bits = 0
            var byte = 0
            for index in range {
                word |= UInt64(truncatingIfNeeded: values[index]) &<< UInt64(truncatingIfNeeded: bits)
                bits &+= width
                while bits >= 8 {
                    target.storeBytes(of: UInt8(truncatingIfNeeded: word), toByteOffset: byte, as: UInt8.self)
                    byte &+= 1
                    word &>>= 8
                    bits &-= 8
                }
            }
            while byte < total {
                target.storeBytes(of: UInt8(truncatingIfNeeded: word), toByteOffset: byte, as: UInt8.self)
                byte &+= 1
                word &>>= 8
            }
            return total
        }
    }
}
