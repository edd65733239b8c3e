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
            var begin = 0
            var changes = 1
            while begin < values.count {
                let end = Swift.min(values.count, begin + FastLanes.blockValues)
                let width = FastLanes.bitWidth(of: UnsafeBufferPointer(rebasing: all[begin..<end]))
                packedBytes += T.bitWidth / 8 + FastLanes.packedByteCount(width: width)
                changes += Self.changes(all, Swift.max(begin, 1)..<Swift.max(end, 1))
                begin = end
            }
            runCount = Swift.max(changes, (values.count + RunLengthEncoder.maxRun - 1) / RunLengthEncoder.maxRun)
        }
    }
    /// How many of the values in `range` differ from the one before; the range is a block at most.
    private static func changes<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ all: UnsafeBufferPointer<T>,
        _ range: Range<Int>
    ) -> Int {
        // Counters as wide as the values let the compiler use vectors; a byte can count to 255 only.
        var total = 0
        var begin = range.lowerBound
        while begin < range.upperBound {
            let end = Swift.min(range.upperBound, begin + 255)
            var count: T = 0
            for index in begin..<end { count &+= all[index] == all[index &- 1] ? 0 : 1 }
            total += Int(truncatingIfNeeded: count)
            begin = end
        }
        return total
    }
}
