import LancerBytes
import LancerCodecs

/// What one pass over fixed-width values tells about their size in each encoding.
struct FixedStatistics {
    /// Bytes of bit-packed blocks.
    private(set) var packedBytes = 0
    /// Runs of equal values, long ones counted as often as they are split.
    private(set) var runCount = 0

    /// - Parameter values: 1, 2, 4 or 8 bytes wide.
    init(_ values: FixedValues) {
        switch values.width {
        case 1: scan(values, UInt8.self)
        case 2: scan(values, UInt16.self)
        case 4: scan(values, UInt32.self)
        default: scan(values, UInt64.self)
        }
    }

    private mutating func scan<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ values: FixedValues,
        _: T.Type
    ) {
        values.bytes.withValues(of: T.self) { all in
            guard let base = all.baseAddress else { return }
            var begin = 0
            var changes = 1
            while begin < values.count {
                let count = Swift.min(values.count - begin, FastLanes.blockValues)
                let block = Self.scan(base + begin, count)
                let width = T.bitWidth - block.bits.leadingZeroBitCount
                packedBytes += T.bitWidth / 8 + FastLanes.packedByteCount(width: width)
                changes += block.changes
                if begin > 0, base[begin] != base[begin - 1] { changes += 1 }
                begin += count
            }
            runCount = Swift.max(changes, (values.count + RunLengthEncoder.maxRun - 1) / RunLengthEncoder.maxRun)
        }
    }

    /// All bits of a block's values together, and how many values differ from the one before.
    @inline(__always)
    private static func scan<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ block: UnsafePointer<T>,
        _ count: Int
    ) -> (bits: T, changes: Int) {
        // Counters as wide as the values let the compiler use vectors; a byte can count to 255 only.
        var total = 0
        var bits = block[0]
        var begin = 1
        while begin < count {
            let end = Swift.min(count, begin &+ 255)
            var changes: T = 0
            for index in begin..<end {
                bits |= block[index]
                changes &+= block[index] == block[index &- 1] ? 0 : 1
            }
            total &+= Int(truncatingIfNeeded: changes)
            begin = end
        }
        return (bits, total)
    }
}
