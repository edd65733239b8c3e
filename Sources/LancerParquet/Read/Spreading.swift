import LancerArrow
import LancerBytes

extension ArrowArray {
    /// The values of an array without nulls at the set bits, in order; nulls between.
    ///
    /// - Parameter bits: As many are set as there are values.
    func spread(_ bits: Bitmap) throws(LanceError) -> ArrowArray {
        let count = bits.count
        switch storage {
        case .fixedWidth(let values):
            let spread: ArrowBuffer
            switch type.byteWidth {
            case 1: spread = Spreading.values(values, bits, UInt8.self)
            case 2: spread = Spreading.values(values, bits, UInt16.self)
            case 4: spread = Spreading.values(values, bits, UInt32.self)
            case 8: spread = Spreading.values(values, bits, UInt64.self)
            case 16: spread = Spreading.values(values, bits, UInt128.self)
            default: return try gather(Spreading.places(bits))
            }
            return ArrowArray(type: type, length: count, validity: bits, storage: .fixedWidth(spread))
        case .variableWidth(let offsets, let data):
            let all =
                type.offsetWidth == 8
                ? Spreading.offsets(offsets, bits, Int64.self) : Spreading.offsets(offsets, bits, Int32.self)
            return ArrowArray(
                type: type,
                length: count,
                validity: bits,
                storage: .variableWidth(offsets: all, data: data)
            )
        case .boolean(let values):
            return ArrowArray(
                type: type,
                length: count,
                validity: bits,
                storage: .boolean(Spreading.booleans(values, bits))
            )
        default: return try gather(Spreading.places(bits))
        }
    }
}

/// Makes room for nulls between values, 64 places at a time.
private enum Spreading {
    /// For each place the number of its value, -1 for none.
    static func places(_ bits: Bitmap) -> [Int] {
        var next = 0
        return (0..<bits.count).map { index in
            guard bits[index] else { return -1 }
            next += 1
            return next - 1
        }
    }

    /// Calls `body` with each 64 bits (the last may be fewer), where they start and how many bits were set before.
    @inline(__always)
    private static func eachWord(_ bits: Bitmap, _ body: (_ at: Int, _ count: Int, _ word: UInt64, _ set: Int) -> Void)
    {
        bits.buffer.withUnsafeBytes { bytes in
            let reader = BitReader(bytes, offset: bits.bitOffset)
            var next = 0
            var index = 0
            while index < bits.count {
                let count = min(64, bits.count - index)
                var word = reader.word(at: index, bits: count)
                if count < 64 { word &= 1 &<< UInt64(count) &- 1 }
                body(index, count, word, next)
                next &+= word.nonzeroBitCount
                index &+= 64
            }
        }
    }

    /// Calls `body` with each place of a word of mixed bits, where its value is, and whether it has one.
    ///
    /// - Parameter from: Where the first value is, in bytes; each is `size` long.
    @inline(__always)
    private static func eachPlace(
        _ at: Int,
        _ count: Int,
        _ word: UInt64,
        from: Int,
        _ size: Int,
        _ body: (_ place: Int, _ from: Int, _ isSet: Bool) -> Void
    ) {
        var word = word
        var from = from
        for index in at..<(at &+ count) {
            let isSet = word & 1 == 1
            body(index, from, isSet)
            from &+= isSet ? size : 0
            word &>>= 1
        }
    }

    static func values<T: BitwiseCopyable & FixedWidthInteger>(
        _ values: ArrowBuffer,
        _ bits: Bitmap,
        _ type: T.Type
    ) -> ArrowBuffer {
        let size = MemoryLayout<T>.size
        let last = values.count - size
        return ArrowBuffer(count: bits.count * size) { room in
            guard let target = room.baseAddress else { return }
            let source = values.start
            eachWord(bits) { at, count, word, set in
                if word == .max {
                    (target + at &* size).copyMemory(from: source + set &* size, byteCount: 64 &* size)
                } else if word == 0 {
                    _ = (target + at &* size).initializeMemory(as: UInt8.self, repeating: 0, count: count &* size)
                } else {
                    eachPlace(at, count, word, from: set &* size, size) { index, from, isSet in
                        // Read in any case: what is behind the last value is never kept.
                        let value = source.loadUnaligned(fromByteOffset: min(from, last), as: T.self)
                        target.storeBytes(of: isSet ? value : 0, toByteOffset: index &* size, as: T.self)
                    }
                }
            }
            withExtendedLifetime(values) {}
        }
    }

    static func offsets<T: BitwiseCopyable & FixedWidthInteger>(
        _ offsets: ArrowBuffer,
        _ bits: Bitmap,
        _ type: T.Type
    ) -> ArrowBuffer {
        let size = MemoryLayout<T>.size
        return ArrowBuffer(count: (bits.count + 1) * size) { room in
            guard let target = room.baseAddress else { return }
            let source = offsets.start
            var end = 0
            eachWord(bits) { at, count, word, set in
                if word == .max {
                    (target + at &* size).copyMemory(from: source + set &* size, byteCount: 64 &* size)
                } else {
                    eachPlace(at, count, word, from: set &* size, size) { index, from, _ in
                        let offset = source.loadUnaligned(fromByteOffset: from, as: T.self)
                        target.storeBytes(of: offset, toByteOffset: index &* size, as: T.self)
                    }
                }
                end = set + word.nonzeroBitCount
            }
            let offset = source.loadUnaligned(fromByteOffset: end &* size, as: T.self)
            target.storeBytes(of: offset, toByteOffset: bits.count &* size, as: T.self)
            withExtendedLifetime(offsets) {}
        }
    }

    static func booleans(_ values: Bitmap, _ bits: Bitmap) -> Bitmap {
        var builder = BitmapBuilder(capacity: bits.count)
        values.buffer.withUnsafeBytes { bytes in
            let reader = BitReader(bytes, offset: values.bitOffset)
            eachWord(bits) { _, count, word, set in
                var left = word
                var next = set
                var spread: UInt64 = 0
                while left != 0 {
                    let place = UInt64(truncatingIfNeeded: left.trailingZeroBitCount)
                    spread |= (reader.bit(at: next) ? 1 : 0) &<< place
                    next &+= 1
                    left &= left &- 1
                }
                builder.append(word: spread, bits: count)
            }
        }
        return builder.finish()
    }
}
