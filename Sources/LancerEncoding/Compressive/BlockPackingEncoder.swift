import LancerBytes
import LancerCodecs

/// Integers as FastLanes blocks in one opaque block, the width known from the layout.
///
/// `blocks of 1024 values · tail: one more block, padded, or the values as they are, whichever is smaller`; which of the
/// two the tail is shows in its size. Spec: 07-encodings.md, "OutOfLineBitpacking".
enum BlockPackingEncoder {
    /// Values of 1, 2, 4 or 8 bytes; nil when packing does not make them smaller.
    static func block(_ values: FixedValues) -> (bytes: ArrowBuffer, encoding: CompressiveEncoding)? {
        switch values.width {
        case 1: block(values, UInt8.self)
        case 2: block(values, UInt16.self)
        case 4: block(values, UInt32.self)
        case 8: block(values, UInt64.self)
        default: nil
        }
    }

    /// Whether a tail of `count` values is packed too or stays as it is.
    static func packsTail(_ count: Int, width: Int, wordBits: Int) -> Bool {
        width * (FastLanes.blockValues - count) < (wordBits - width) * count
    }

    /// Bytes of `count` values of `width` bits.
    static func byteCount(_ count: Int, width: Int, wordBits: Int) -> Int {
        let block = FastLanes.packedByteCount(width: width)
        let tail = count % FastLanes.blockValues
        let tailBytes = packsTail(tail, width: width, wordBits: wordBits) ? block : tail * wordBits / 8
        return count / FastLanes.blockValues * block + (tail == 0 ? 0 : tailBytes)
    }

    /// Appends `values` packed to `width` bits.
    static func append<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ values: UnsafeBufferPointer<T>,
        width: Int,
        to data: inout BufferBuilder
    ) {
        var position = 0
        while position < values.count {
            let rest = UnsafeBufferPointer(rebasing: values[position...])
            let count = Swift.min(rest.count, FastLanes.blockValues)
            if count == FastLanes.blockValues || packsTail(count, width: width, wordBits: T.bitWidth) {
                appendOne(UnsafeBufferPointer(rebasing: rest[..<count]), width: width, to: &data)
            } else {
                data.append(UnsafeRawBufferPointer(rest))
            }
            position += count
        }
    }

    /// Packs up to 1024 values as one block, zeros behind them.
    static func appendOne<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ values: UnsafeBufferPointer<T>,
        width: Int,
        to data: inout BufferBuilder
    ) {
        guard let base = values.baseAddress else { return }
        data.append(upTo: FastLanes.packedByteCount(width: width)) { target in
            guard let output = target.baseAddress else { return 0 }
            if values.count == FastLanes.blockValues {
                FastLanes.pack(base, width: width, into: output)
            } else {
                withUnsafeTemporaryAllocation(of: T.self, capacity: FastLanes.blockValues) { block in
                    guard let start = block.baseAddress else { return }
                    start.initialize(repeating: 0, count: FastLanes.blockValues)
                    start.update(from: base, count: values.count)
                    FastLanes.pack(start, width: width, into: output)
                }
            }
            return target.count
        }
    }

    private static func block<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ values: FixedValues,
        _: T.Type
    ) -> (bytes: ArrowBuffer, encoding: CompressiveEncoding)? {
        values.bytes.withValues(of: T.self) { all in
            let width = Swift.max(1, FastLanes.bitWidth(of: all))
            // Small blocks carry their width with them; one of more than a block's values takes it from the layout.
            let isSmall = values.count <= FastLanes.blockValues
            let size =
                isSmall
                ? T.bitWidth / 8 + FastLanes.packedByteCount(width: width)
                : byteCount(values.count, width: width, wordBits: T.bitWidth)
            guard size < values.bytes.count else { return nil }
            var data = BufferBuilder(capacity: size)
            if isSmall {
                data.append(T(truncatingIfNeeded: width))
                appendOne(all, width: width, to: &data)
                return (data.finish(), .inlineBitpacking(wordBits: T.bitWidth))
            }
            append(all, width: width, to: &data)
            return (data.finish(), .outOfLineBitpacking(wordBits: T.bitWidth, packedBits: width))
        }
    }
}
