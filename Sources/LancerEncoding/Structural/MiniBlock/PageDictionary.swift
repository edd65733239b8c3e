import LancerArrow
import LancerBytes

/// The dictionary of a mini-block page: either what Lance made of repeated values, or that of an Arrow dictionary array.
/// Spec: 03-mini-block.md, "Dictionaries".
struct PageDictionary: Sendable {
    /// The distinct values.
    let values: ArrowArray
    let id: Int

    init(
        _ encoding: CompressiveEncoding,
        itemCount: Int,
        buffer: ArrowBuffer,
        type: ArrowType,
        id: Int
    ) throws(LanceError) {
        let valueType: ArrowType = if case .dictionary(_, let value, _) = type { value } else { type }
        let decoder = try ValueDecoder(encoding, for: valueType)
        let output = try ValueAccumulator(valueType, capacity: 0)
        do {
            try buffer.withUnsafeBytes { (bytes) throws(LanceError) in
                try decoder.decodeBlock(bytes, count: itemCount, into: output)
            }
        } catch {
            throw error.located(part: "dictionary")
        }
        guard output.count == itemCount else {
            throw .corrupt("a dictionary of \(output.count) items instead of \(itemCount)")
        }
        values = try output.finish(valueType, count: itemCount)
        self.id = id
    }

    /// Decodes indices and appends the values they stand for (or, for an Arrow dictionary column, the indices).
    ///
    /// - Parameter isNull: whether a slot's value is null; asked only for indices outside the dictionary.
    func append(
        indices: ValueDecoder,
        buffers: [UnsafeRawBufferPointer],
        count: Int,
        range: Range<Int>,
        isNull: (Int) throws(LanceError) -> Bool,
        into output: ValueAccumulator
    ) throws(LanceError) {
        if case .dictionary(let target) = output {
            let before = target.indices.count
            try indices.decodeChunk(buffers[...], count: count, range: range, into: output)
            try checkIndices(target, from: before / target.width, range, isNull)
            return
        }
        let decoded = OutputBuffer(capacity: range.count * 4)
        try indices.decodeChunk(buffers[...], count: count, range: range, into: .fixed(decoded, width: 4))
        var failure: LanceError?
        decoded.withMutableValues(of: UInt32.self) { indices in
            // A null slot may hold any index: it is given a valid one, or an empty value below.
            for position in indices.indices where Int(indices[position]) >= values.length {
                do throws(LanceError) {
                    guard try isNull(range.lowerBound + position) else {
                        throw Self.outside(Int(indices[position]), values.length)
                    }
                    indices[position] = 0
                } catch {
                    failure = error
                    return
                }
            }
        }
        if let failure { throw failure }
        try append(values: decoded, into: output)
    }

    /// Appends the values that indices of 32 bits stand for; these were checked, unless there are no values at all.
    func append(values indices: OutputBuffer, into output: ValueAccumulator) throws(LanceError) {
        guard values.length > 0 else { return try output.appendEmpty(indices.count / 4) }
        try indices.finish().withValues(of: UInt32.self) { (indices) throws(LanceError) in
            try gather(indices, into: output)
        }
    }

    private func gather(_ indices: UnsafeBufferPointer<UInt32>, into output: ValueAccumulator) throws(LanceError) {
        switch (values.storage, output) {
        case (.fixedWidth(let items), .fixed(let target, let width)):
            switch width {
            case 4: Self.gather(indices, items, UInt32.self, target)
            case 8: Self.gather(indices, items, UInt64.self, target)
            case 2: Self.gather(indices, items, UInt16.self, target)
            case 1: Self.gather(indices, items, UInt8.self, target)
            default:
                let room = target.extend(by: indices.count * width)
                items.withUnsafeBytes { bytes in
                    guard let base = bytes.baseAddress else { return }
                    for (position, index) in indices.enumerated() {
                        (room + position * width).copyMemory(from: base + Int(index) * width, byteCount: width)
                    }
                }
            }
        case (.variableWidth(let offsets, let data), .variable(let target)):
            if target.offsetWidth == 4 {
                try Self.gather(indices, offsets, Int32.self, data, target)
            } else {
                try Self.gather(indices, offsets, Int64.self, data, target)
            }
        default: throw .unsupported("a page dictionary of \(values.type)")
        }
    }

    private static func gather<T: BitwiseCopyable>(
        _ indices: UnsafeBufferPointer<UInt32>,
        _ items: ArrowBuffer,
        _ type: T.Type,
        _ target: OutputBuffer
    ) {
        let room = target.extend(by: indices.count * MemoryLayout<T>.size)
        items.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            for position in 0..<indices.count {
                let at = Int(indices[position]) &* MemoryLayout<T>.size
                let value = base.loadUnaligned(fromByteOffset: at, as: T.self)
                room.storeBytes(of: value, toByteOffset: position &* MemoryLayout<T>.size, as: T.self)
            }
        }
    }

    private static func gather<T: FixedWidthInteger & BitwiseCopyable>(
        _ indices: UnsafeBufferPointer<UInt32>,
        _ offsets: ArrowBuffer,
        _ type: T.Type,
        _ data: ArrowBuffer,
        _ target: VariableOutput
    ) throws(LanceError) {
        try offsets.withValues(of: T.self) { (offsets) throws(LanceError) in
            var total = 0
            for index in indices { total += Int(offsets[Int(index) &+ 1] &- offsets[Int(index)]) }
            if T.bitWidth == 32, total > Int(Int32.max) - target.data.count { throw target.overflow }
            var end = target.data.count
            // Slack lets short values be copied as one 16-byte word.
            let room = target.data.room(total + 16)
            let ends = target.offsets.extend(by: indices.count * MemoryLayout<T>.size)
            var written = 0
            data.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                for position in 0..<indices.count {
                    let index = Int(indices[position])
                    let start = Int(offsets[index])
                    let length = Int(offsets[index &+ 1]) &- start
                    if length <= 16, start &+ 16 <= bytes.count {
                        let word = base.loadUnaligned(fromByteOffset: start, as: SIMD16<UInt8>.self)
                        (room + written).storeBytes(of: word, as: SIMD16<UInt8>.self)
                    } else {
                        (room + written).copyMemory(from: base + start, byteCount: length)
                    }
                    written &+= length
                    end &+= length
                    ends.storeBytes(
                        of: T(truncatingIfNeeded: end),
                        toByteOffset: position &* MemoryLayout<T>.size,
                        as: T.self
                    )
                }
            }
            target.data.advance(by: written)
        }
    }

    /// Checks indices of an Arrow dictionary column; those of nulls that point nowhere are set to 0.
    private func checkIndices(
        _ target: DictionaryOutput,
        from first: Int,
        _ range: Range<Int>,
        _ isNull: (Int) throws(LanceError) -> Bool
    ) throws(LanceError) {
        switch target.width {
        case 1: try checkIndices(target, UInt8.self, first, range, isNull)
        case 2: try checkIndices(target, UInt16.self, first, range, isNull)
        case 4: try checkIndices(target, UInt32.self, first, range, isNull)
        default: try checkIndices(target, UInt64.self, first, range, isNull)
        }
    }

    private func checkIndices<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ target: DictionaryOutput,
        _ type: T.Type,
        _ first: Int,
        _ range: Range<Int>,
        _ isNull: (Int) throws(LanceError) -> Bool
    ) throws(LanceError) {
        // Negative signed indices look like huge unsigned ones and are refused with them.
        let limit = UInt64(values.length)
        var failure: LanceError?
        target.indices.withMutableValues(of: T.self) { indices in
            for position in first..<indices.count where UInt64(truncatingIfNeeded: indices[position]) >= limit {
                do throws(LanceError) {
                    guard try isNull(range.lowerBound + position - first) else {
                        throw Self.outside(Int(clamping: indices[position]), values.length)
                    }
                    indices[position] = 0
                } catch {
                    failure = error
                    return
                }
            }
        }
        if let failure { throw failure }
    }

    @inline(never)
    private static func outside(_ index: Int, _ count: Int) -> LanceError {
        .corrupt("index \(index) of a dictionary of \(count) values")
    }
}
