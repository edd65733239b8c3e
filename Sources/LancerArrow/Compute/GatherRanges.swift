import LancerBytes

/// Consecutive values to be copied; a start of -1 asks for that many nulls.
struct GatherRange {
    var start: Int
    var count: Int
}

extension ArrowArray {
    /// The values of several ranges, one range after the other. Ranges must lie inside the array.
    ///
    /// - Throws: `limitExceeded` when 32-bit offsets overflow.
    func gather(_ ranges: [GatherRange], nullable: Bool = true) throws(LanceError) -> ArrowArray {
        let total = ranges.reduce(0) { $0 + $1.count }
        let withNulls = ranges.contains { $0.start < 0 && $0.count > 0 }
        var canBeNull = nullable
        let result: Storage
        switch storage {
        case .null: result = .null
        case .boolean(let bits): result = .boolean(Self.gather(bits, ranges, total, ifMissing: false))
        case .fixedWidth(let values): result = .fixedWidth(values.gather(ranges, width: type.byteWidth ?? 0))
        case .variableWidth(let offsets, let data):
            let (newOffsets, parts) = try gatherOffsets(offsets, ranges, total)
            result = .variableWidth(offsets: newOffsets, data: data.gather(parts, width: 1))
        case .list(let offsets, let child):
            let (newOffsets, parts) = try gatherOffsets(offsets, ranges, total)
            result = .list(offsets: newOffsets, child: try child.gather(parts))
        case .fixedSizeList(let child):
            guard case .fixedSizeList(let item, let size) = type else { throw storageMismatch }
            let parts = ranges.map { GatherRange(start: $0.start < 0 ? -1 : $0.start * size, count: $0.count * size) }
            result = .fixedSizeList(child: try child.gather(parts, nullable: item.nullable))
        case .structure(let members):
            var children: [ArrowArray] = []
            for (field, child) in zip(type.children, members) {
                children.append(try child.gather(ranges, nullable: field.nullable))
            }
            result = .structure(children)
        case .dictionary(let keys, let values):
            if values.length == 0 { canBeNull = true }
            result = .dictionary(indices: keys.gather(ranges, width: type.byteWidth ?? 0), values: values)
        }
        var newValidity: Bitmap?
        if case .null = type {
            newValidity = nil
        } else if let validity {
            newValidity = Self.gather(validity, ranges, total, ifMissing: !canBeNull)
        } else if withNulls, canBeNull {
            var bits = BitmapBuilder(capacity: total)
            for range in ranges { bits.append(range.start >= 0, repeated: range.count) }
            newValidity = bits.finish()
        }
        return ArrowArray(type: type, length: total, validity: newValidity, storage: result)
    }

    private static func gather(
        _ bits: Bitmap,
        _ ranges: [GatherRange],
        _ total: Int,
        ifMissing missing: Bool
    ) -> Bitmap {
        var builder = BitmapBuilder(capacity: total)
        for range in ranges {
            if range.start < 0 {
                builder.append(missing, repeated: range.count)
            } else {
                builder.append(contentsOf: bits, range.start..<(range.start + range.count))
            }
        }
        return builder.finish()
    }

    /// New offsets for ranges of texts or lists, and where their bytes or items are.
    private func gatherOffsets(
        _ offsets: ArrowBuffer,
        _ ranges: [GatherRange],
        _ total: Int
    ) throws(LanceError) -> (ArrowBuffer, [GatherRange]) {
        var lengths: [Int] = []
        lengths.reserveCapacity(total)
        let isWide = type.offsetWidth == 8
        let parts: [GatherRange] = offsets.withUnsafeBytes { source in
            ranges.map { range in
                if range.start < 0 || range.count == 0 {
                    for _ in 0..<range.count { lengths.append(0) }
                    return GatherRange(start: 0, count: 0)
                }
                let first = source.offsetPair(at: range.start, isWide: isWide).start
                var end = first
                for index in range.start..<(range.start + range.count) {
                    let pair = source.offsetPair(at: index, isWide: isWide)
                    lengths.append(pair.end - pair.start)
                    end = pair.end
                }
                return GatherRange(start: first, count: end - first)
            }
        }
        return (try newOffsets(lengths, count: total), parts)
    }

    /// An offsets buffer of this array's width for values of the given lengths.
    ///
    /// - Throws: `limitExceeded` when 32-bit offsets overflow.
    func newOffsets(_ lengths: some Sequence<Int>, count: Int) throws(LanceError) -> ArrowBuffer {
        let isWide = type.offsetWidth == 8
        var sum = 0
        let buffer = ArrowBuffer(count: (count + 1) * (isWide ? 8 : 4)) { target in
            var position = 0
            func store(_ offset: Int) {
                if isWide {
                    target.storeBytes(of: Int64(offset), toByteOffset: position, as: Int64.self)
                    position &+= 8
                } else {
                    target.storeBytes(of: Int32(truncatingIfNeeded: offset), toByteOffset: position, as: Int32.self)
                    position &+= 4
                }
            }
            store(0)
            for length in lengths {
                sum &+= length
                store(sum)
            }
        }
        guard isWide || sum <= Int(Int32.max) else {
            throw .limitExceeded("\(sum) bytes or items do not fit one \(type) array with its 32-bit offsets")
        }
        return buffer
    }
}

extension ArrowBuffer {
    /// The bytes of several ranges of values of `width` bytes; zeros for ranges of nulls.
    func gather(_ ranges: [GatherRange], width: Int) -> ArrowBuffer {
        let total = ranges.reduce(0) { $0 + $1.count * width }
        return ArrowBuffer(count: total) { target in
            withUnsafeBytes { source in
                guard let out = target.baseAddress, let bytes = source.baseAddress else {
                    _ = target.initializeMemory(as: UInt8.self, repeating: 0)
                    return
                }
                var offset = 0
                for range in ranges {
                    let size = range.count * width
                    if range.start < 0 {
                        (out + offset).initializeMemory(as: UInt8.self, repeating: 0, count: size)
                    } else {
                        (out + offset).copyMemory(from: bytes + range.start * width, byteCount: size)
                    }
                    offset += size
                }
            }
        }
    }
}
