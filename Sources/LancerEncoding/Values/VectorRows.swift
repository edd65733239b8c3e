import LancerArrow
import LancerBytes

extension VectorValues {
    /// Vectors as single values of whole bytes: for each level whose items can be null their validity bits, outermost
    /// first, then the items. Nil when a vector's items do not fill whole bytes.
    func rows() -> FixedValues? {
        guard bitsPerValue % 8 == 0 else { return nil }
        let itemBytes = bitsPerValue / 8
        let items: ArrowBuffer
        switch self.items {
        case .fixed(let values): items = values.bytes
        case .bits(let bits): items = bits.compacted().buffer
        default: return nil
        }
        guard hasItemNulls else { return FixedValues(items, width: itemBytes, count: count) }
        var bitmaps: [(bits: Bitmap, perValue: Int)] = []
        var perValue = 1
        for level in levels {
            perValue *= level.dimension
            if let validity = level.itemValidity { bitmaps.append((validity, perValue)) }
        }
        let width = itemBytes + bitmaps.reduce(0) { $0 + ($1.perValue + 7) / 8 }
        var data = BufferBuilder(capacity: width * count)
        for row in 0..<count {
            for bitmap in bitmaps {
                let bits = bitmap.bits.slice((row * bitmap.perValue)..<((row + 1) * bitmap.perValue)).compacted()
                data.append(contentsOf: bits.buffer)
            }
            data.append(contentsOf: items.slice((row * itemBytes)..<((row + 1) * itemBytes)))
        }
        return FixedValues(data.finish(), width: width, count: count)
    }
}
