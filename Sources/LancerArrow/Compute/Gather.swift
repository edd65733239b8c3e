import LancerBytes

extension ArrowArray {
    /// The values at `indices`, in that order, repeats allowed; -1 gives a null.
    ///
    /// - Throws: `invalidArgument` when an index is outside the array, `limitExceeded` when 32-bit offsets overflow.
    public func gather(_ indices: [Int]) throws(LanceError) -> ArrowArray {
        var lowest = 0
        var highest = -1
        for index in indices {
            lowest = Swift.min(lowest, index)
            highest = Swift.max(highest, index)
        }
        guard lowest >= -1, highest < length else {
            let bad = lowest < -1 ? lowest : highest
            throw .invalidArgument("index \(bad) is outside an array of \(length) values")
        }
        return try gathered(indices, withNulls: lowest == -1, nullable: true)
    }

    /// The values at `indices`, in that order, repeats allowed; nil gives a null.
    ///
    /// - Throws: `invalidArgument` when an index is outside the array, `limitExceeded` when 32-bit offsets overflow.
    public func gather(_ indices: [Int?]) throws(LanceError) -> ArrowArray {
        if let bad = indices.first(where: { ($0 ?? 0) < 0 }) {
            throw .invalidArgument("index \(bad ?? -1) is outside an array of \(length) values")
        }
        return try gather(indices.map { $0 ?? -1 })
    }

    /// Gathers checked indices; where `nullable` is false, -1 gives a default in place of a null.
    private func gathered(_ indices: [Int], withNulls: Bool, nullable: Bool) throws(LanceError) -> ArrowArray {
        let count = indices.count
        var canBeNull = nullable
        let result: Storage
        switch storage {
        case .null: result = .null
        case .boolean(let bits): result = .boolean(Self.gather(bits, indices, ifMissing: false))
        case .fixedWidth(let values):
            result = .fixedWidth(Self.gather(values, indices, width: type.byteWidth ?? 0, withNulls: withNulls))
        case .variableWidth(let offsets, let data):
            let (newOffsets, ranges) = try gatherOffsets(offsets, indices)
            result = .variableWidth(offsets: newOffsets, data: data.gather(ranges, width: 1))
        case .list(let offsets, let child):
            let (newOffsets, ranges) = try gatherOffsets(offsets, indices)
            result = .list(offsets: newOffsets, child: try child.gather(ranges))
        case .fixedSizeList(let child):
            guard case .fixedSizeList(let item, let size) = type else { throw storageMismatch }
            if case .fixedWidth(let values) = child.storage, child.validity == nil, let width = child.type.byteWidth {
                // Vectors: each is one piece of memory. What lies under a null may be zeros as well as nulls.
                let gathered = Self.gather(values, indices, width: width * size, withNulls: withNulls)
                let items = ArrowArray(type: item.type, length: count * size, storage: .fixedWidth(gathered))
                result = .fixedSizeList(child: items)
            } else {
                let ranges = indices.map { GatherRange(start: $0 < 0 ? -1 : $0 * size, count: size) }
                result = .fixedSizeList(child: try child.gather(ranges, nullable: item.nullable))
            }
        case .structure(let members):
            var children: [ArrowArray] = []
            for (field, child) in zip(type.children, members) {
                children.append(try child.gathered(indices, withNulls: withNulls, nullable: field.nullable))
            }
            result = .structure(children)
        case .dictionary(let keys, let values):
            if values.length == 0 { canBeNull = true }
            let gathered = Self.gather(keys, indices, width: type.byteWidth ?? 0, withNulls: withNulls)
            result = .dictionary(indices: gathered, values: values)
        }
        return ArrowArray(
            type: type,
            length: count,
            validity: gatherValidity(indices, withNulls: withNulls, nullable: canBeNull),
            storage: result
        )
    }

    private func gatherValidity(_ indices: [Int], withNulls: Bool, nullable: Bool) -> Bitmap? {
        if case .null = type { return nil }
        guard let validity else {
            guard withNulls, nullable else { return nil }
            return Bitmap(count: indices.count) { indices[$0] >= 0 }
        }
        return Self.gather(validity, indices, ifMissing: !nullable)
    }

    private static func gather(_ bits: Bitmap, _ indices: [Int], ifMissing missing: Bool) -> Bitmap {
        bits.buffer.withUnsafeBytes { bytes in
            let reader = BitReader(bytes, offset: bits.bitOffset)
            return indices.withUnsafeBufferPointer { indices in
                Bitmap(count: indices.count) { position in
                    let index = indices[position]
                    return index < 0 ? missing : reader.bit(at: index)
                }
            }
        }
    }

    private static func gather(_ values: ArrowBuffer, _ indices: [Int], width: Int, withNulls: Bool) -> ArrowBuffer {
        switch width {
        case 1: gather(values, indices, withNulls, zero: UInt8(0))
        case 2: gather(values, indices, withNulls, zero: UInt16(0))
        case 4: gather(values, indices, withNulls, zero: UInt32(0))
        case 8: gather(values, indices, withNulls, zero: UInt64(0))
        case 16: gather(values, indices, withNulls, zero: SIMD2<UInt64>(0, 0))
        case 32: gather(values, indices, withNulls, zero: SIMD4<UInt64>(0, 0, 0, 0))
        default: values.gather(indices.map { GatherRange(start: $0, count: 1) }, width: width)
        }
    }

    private static func gather<T: BitwiseCopyable>(
        _ values: ArrowBuffer,
        _ indices: [Int],
        _ withNulls: Bool,
        zero: T
    ) -> ArrowBuffer {
        let width = MemoryLayout<T>.size
        return ArrowBuffer(count: indices.count * width) { target in
            values.withUnsafeBytes { source in
                indices.withUnsafeBufferPointer { indices in
                    for position in 0..<indices.count {
                        let index = indices[position]
                        let value =
                            withNulls && index < 0
                            ? zero : source.loadUnaligned(fromByteOffset: index &* width, as: T.self)
                        target.storeBytes(of: value, toByteOffset: position &* width, as: T.self)
                    }
                }
            }
        }
    }

    /// New offsets for the gathered texts or lists, and where their bytes or items are.
    private func gatherOffsets(
        _ offsets: ArrowBuffer,
        _ indices: [Int]
    ) throws(LanceError) -> (ArrowBuffer, [GatherRange]) {
        let ranges: [GatherRange] = offsets.withUnsafeBytes { source in
            let isWide = type.offsetWidth == 8
            return indices.map { index in
                if index < 0 || isNull(index) { return GatherRange(start: 0, count: 0) }
                let range = source.offsetPair(at: index, isWide: isWide)
                return GatherRange(start: range.start, count: range.end - range.start)
            }
        }
        return (try newOffsets(ranges.lazy.map(\.count), count: indices.count), ranges)
    }
}

extension UnsafeRawBufferPointer {
    /// Offsets `index` and `index + 1` of an offsets buffer.
    @inline(__always)
    func offsetPair(at index: Int, isWide: Bool) -> (start: Int, end: Int) {
        if isWide {
            return (
                Int(loadUnaligned(fromByteOffset: index &* 8, as: Int64.self)),
                Int(loadUnaligned(fromByteOffset: index &* 8 &+ 8, as: Int64.self))
            )
        }
        return (
            Int(loadUnaligned(fromByteOffset: index &* 4, as: Int32.self)),
            Int(loadUnaligned(fromByteOffset: index &* 4 &+ 4, as: Int32.self))
        )
    }
}
