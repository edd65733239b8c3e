import LancerBytes

extension Bitmap {
    /// Calls `body` with the bits 64 at a time, those behind the end being 0, and with the position of the first.
    @inline(__always)
    func forEachWord(_ body: (_ index: Int, _ word: UInt64) -> Void) {
        buffer.withUnsafeBytes { bytes in
            let reader = BitReader(bytes, offset: bitOffset)
            var index = 0
            while index < count {
                let size = Swift.min(64, count &- index)
                let mask: UInt64 = size == 64 ? .max : (1 &<< UInt64(size)) &- 1
                body(index, reader.word(at: index, bits: size) & mask)
                index &+= 64
            }
        }
    }

    /// Number of runs of set bits.
    var setRunCount: Int {
        var runs = 0
        var last: UInt64 = 0
        forEachWord { _, word in
            runs &+= (word & ~(word &<< 1 | last)).nonzeroBitCount
            last = word &>> 63
        }
        return runs
    }

    /// Positions of the `setCount` set bits.
    func setPositions(_ setCount: Int) -> [Int] {
        [Int](unsafeUninitializedCapacity: setCount) { target, filled in
            forEachWord { index, word in
                var rest = word
                while rest != 0, filled < setCount {
                    target[filled] = index &+ rest.trailingZeroBitCount
                    filled &+= 1
                    rest &= rest &- 1
                }
            }
        }
    }

    /// The bits for which `selection` has a bit set. The counts must be equal.
    func selecting(_ selection: Bitmap, _ setCount: Int) -> Bitmap {
        var builder = BitmapBuilder(capacity: setCount)
        buffer.withUnsafeBytes { bytes in
            let reader = BitReader(bytes, offset: bitOffset)
            selection.forEachWord { index, word in
                if word == 0 { return }
                let own = reader.word(at: index, bits: Swift.min(64, count &- index))
                var rest = word
                var packed: UInt64 = 0
                var filled: UInt64 = 0
                while rest != 0 {
                    packed |= (own &>> UInt64(rest.trailingZeroBitCount) & 1) &<< filled
                    filled &+= 1
                    rest &= rest &- 1
                }
                builder.append(word: packed, bits: Int(filled))
            }
        }
        return builder.finish()
    }
}

extension ArrowArray {
    /// The values whose bit is set, for selections of many short runs: looks at the bits instead of listing the runs.
    func filter(bits selection: Bitmap, _ setCount: Int) throws(LanceError) -> ArrowArray {
        let storage: Storage
        switch self.storage {
        case .boolean(let bits): storage = .boolean(bits.selecting(selection, setCount))
        case .fixedWidth(let values):
            switch type.byteWidth {
            case 1: storage = .fixedWidth(Self.select(values, UInt8.self, selection, setCount))
            case 2: storage = .fixedWidth(Self.select(values, UInt16.self, selection, setCount))
            case 4: storage = .fixedWidth(Self.select(values, UInt32.self, selection, setCount))
            case 8: storage = .fixedWidth(Self.select(values, UInt64.self, selection, setCount))
            default: return try gather(selection.setPositions(setCount))
            }
        default: return try gather(selection.setPositions(setCount))
        }
        let validity = validity.map { $0.selecting(selection, setCount) }
        return ArrowArray(type: type, length: setCount, validity: validity, storage: storage)
    }

    @inline(__always)
    private static func select<T: BitwiseCopyable>(
        _ values: ArrowBuffer,
        _ width: T.Type,
        _ selection: Bitmap,
        _ setCount: Int
    ) -> ArrowBuffer {
        let size = MemoryLayout<T>.size
        return values.withUnsafeBytes { source in
            ArrowBuffer(count: setCount * size) { target in
                // A buffer that is too short for its array is looked at no further than it goes.
                let available = source.count / size
                var filled = 0
                selection.forEachWord { index, word in
                    var rest = word
                    while rest != 0 {
                        let row = index &+ rest.trailingZeroBitCount
                        if row >= available || filled >= setCount { return }
                        let value = source.loadUnaligned(fromByteOffset: row &* size, as: T.self)
                        target.storeBytes(of: value, toByteOffset: filled &* size, as: T.self)
                        filled &+= 1
                        rest &= rest &- 1
                    }
                }
            }
        }
    }
}
