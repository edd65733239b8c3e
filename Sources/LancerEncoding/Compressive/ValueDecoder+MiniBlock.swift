import LancerArrow
import LancerBytes
import LancerCodecs

extension ValueDecoder {
    /// Decodes values `range` of the `count` values of one mini-block chunk.
    ///
    /// - Parameters:
    ///   - buffers: the chunk's value buffers, those not used up by outer encodings.
    ///   - output: a collector of the type the decoder was made for.
    /// - Throws: `corrupt` or `truncated` when the buffers do not hold `count` such values.
    package func decodeChunk(
        _ buffers: ArraySlice<UnsafeRawBufferPointer>,
        count: Int,
        range: Range<Int>,
        into output: ValueAccumulator
    ) throws(LanceError) {
        if case .absent = self { return try output.appendEmpty(range.count) }
        guard let first = buffers.first else {
            throw .corrupt("a chunk has fewer value buffers than its encoding needs")
        }
        switch (self, output) {
        case (.flat(let width), .fixed(let target, _)):
            try Self.require(first, count, width)
            if let base = first.baseAddress { target.append(base + range.lowerBound * width, range.count * width) }
        case (.flat(let width), .dictionary(let target)):
            try Self.require(first, count, width)
            if let base = first.baseAddress {
                target.indices.append(base + range.lowerBound * width, range.count * width)
            }
        case (.bitmap, .bits(let target)):
            guard first.count >= (count + 7) / 8 else { throw Self.short(first, count) }
            if let base = first.baseAddress { target.append(base, range) }
        case (.inlineBitpacking(let width), .fixed(let target, _)):
            try Self.unpackInline(first, width: width, count: count, range: range, into: target)
        case (.inlineBitpacking(let width), .dictionary(let target)):
            try Self.unpackInline(first, width: width, count: count, range: range, into: target.indices)
        case (.outOfLineBitpacking(let width, let bits), .fixed(let target, _)):
            try Self.unpackOutOfLine(first, width: width, bits: bits, count: count, range: range, into: target)
        case (.variable(let offsetWidth, let table), .variable(let target)):
            try Self.appendVariable(first, offsetWidth, table, offsetBase: 0, range: range, count: count, into: target)
        case (.runLength(let width), .fixed(let target, _)):
            try Self.expandRuns(buffers, width: width, count: count, range: range, into: target)
        case (.runLength(let width), .dictionary(let target)):
            try Self.expandRuns(buffers, width: width, count: count, range: range, into: target.indices)
        case (.byteStreamSplit(let width), .fixed(let target, _)):
            try Self.require(first, count, width)
            let joined = try ArrowBuffer(count: count * width) { (room) throws(LanceError) in
                try ByteStreamSplit.decode(
                    UnsafeRawBufferPointer(rebasing: first[0..<(count * width)]),
                    width: width,
                    into: room
                )
            }
            joined.withUnsafeBytes { bytes in
                if let base = bytes.baseAddress { target.append(base + range.lowerBound * width, range.count * width) }
            }
        case (.general(let scheme, let inner), _):
            let plain = try GeneralCompression.decompress(first, scheme)
            try plain.withUnsafeBytes { (bytes) throws(LanceError) in
                try inner.decodeChunk([bytes] + buffers.dropFirst(), count: count, range: range, into: output)
            }
        case (.fixedSizeList(let dimension, let hasValidity, let inner), .list(let target)):
            let items = (range.lowerBound * dimension)..<(range.upperBound * dimension)
            let itemCount = try count.multiplied(by: dimension, "items of a chunk")
            var rest = buffers
            if hasValidity {
                rest = rest.dropFirst()
                guard first.count >= (itemCount + 7) / 8, let base = first.baseAddress else {
                    throw Self.short(first, itemCount)
                }
                target.neededItemValidity().append(base, items)
            } else {
                target.itemValidity?.append(repeating: true, count: items.count)
            }
            try inner.decodeChunk(rest, count: itemCount, range: items, into: target.child)
            target.count += range.count
        case (.packedStruct(let widths), .structure(let children, let slots)):
            try Self.require(first, count, widths.reduce(0, +))
            try Self.appendPacked(first, widths, range, children)
            slots.count += range.count
        default: throw .corrupt("a chunk's encoding does not fit the column's type")
        }
    }

    static func require(_ bytes: UnsafeRawBufferPointer, _ count: Int, _ width: Int) throws(LanceError) {
        let (needed, overflow) = count.multipliedReportingOverflow(by: width)
        if overflow || bytes.count < needed { throw short(bytes, count) }
    }

    @inline(never)
    static func short(_ bytes: UnsafeRawBufferPointer, _ count: Int) -> LanceError {
        .corrupt("a buffer of \(bytes.count) bytes is too small for \(count) values")
    }

    private static func unpackInline(
        _ bytes: UnsafeRawBufferPointer,
        width: Int,
        count: Int,
        range: Range<Int>,
        into target: OutputBuffer
    ) throws(LanceError) {
        guard count <= FastLanes.blockValues else { throw .corrupt("\(count) values in one bit-packed block") }
        switch width {
        case 1: try unpackInline(bytes, UInt8.self, range, target)
        case 2: try unpackInline(bytes, UInt16.self, range, target)
        case 4: try unpackInline(bytes, UInt32.self, range, target)
        default: try unpackInline(bytes, UInt64.self, range, target)
        }
    }

    private static func unpackInline<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer,
        _ type: T.Type,
        _ range: Range<Int>,
        _ target: OutputBuffer
    ) throws(LanceError) {
        let size = MemoryLayout<T>.size
        guard bytes.count >= size, let base = bytes.baseAddress else { throw short(bytes, range.count) }
        let bits = Int(truncatingIfNeeded: base.loadUnaligned(as: T.self))
        guard bits >= 0, bits <= T.bitWidth, bytes.count - size >= FastLanes.packedByteCount(width: bits) else {
            throw .corrupt("a bit-packed block of \(bytes.count) bytes says its width is \(bits)")
        }
        unpackBlock(base + size, type, bits, range, target)
    }

    /// Up to so many values are picked out of a block one by one: that costs less than unpacking it into memory that has
    /// to be found first.
    private static let pickedValues = 16

    /// Unpacks one block of 1024 values and appends `range` of them.
    private static func unpackBlock<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ packed: UnsafeRawPointer,
        _ type: T.Type,
        _ bits: Int,
        _ range: Range<Int>,
        _ target: OutputBuffer
    ) {
        let size = MemoryLayout<T>.size
        if range.count <= pickedValues {
            for index in range {
                target.append(value: FastLanes.unpackSingle(packed, width: bits, index: index, as: T.self))
            }
        } else if range.lowerBound == 0 {
            // The tail of the block beyond the range is written too, into reserved room, and not counted.
            let room = target.room(FastLanes.blockValues * size)
            FastLanes.unpack(packed, width: bits, into: room.assumingMemoryBound(to: T.self))
            target.advance(by: range.count * size)
        } else {
            withUnsafeTemporaryAllocation(of: T.self, capacity: FastLanes.blockValues) { scratch in
                guard let scratchBase = scratch.baseAddress else { return }
                FastLanes.unpack(packed, width: bits, into: scratchBase)
                target.append(UnsafeRawPointer(scratchBase + range.lowerBound), range.count * size)
            }
        }
    }

    /// Most values that a block without any bytes may stand for.
    private static let maxImpliedValues = 1 << 24

    static func unpackOutOfLine(
        _ bytes: UnsafeRawBufferPointer,
        width: Int,
        bits: Int,
        count: Int,
        range: Range<Int>,
        into target: OutputBuffer
    ) throws(LanceError) {
        switch width {
        case 1: try unpackOutOfLine(bytes, UInt8.self, bits, count, range, target)
        case 2: try unpackOutOfLine(bytes, UInt16.self, bits, count, range, target)
        case 4: try unpackOutOfLine(bytes, UInt32.self, bits, count, range, target)
        case 8: try unpackOutOfLine(bytes, UInt64.self, bits, count, range, target)
        default: throw .corrupt("bit packing of \(width)-byte words")
        }
    }

    /// Whole blocks of 1024 values, then a tail that is packed as one more block or raw; its length tells which.
    private static func unpackOutOfLine<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer,
        _ type: T.Type,
        _ bits: Int,
        _ count: Int,
        _ range: Range<Int>,
        _ target: OutputBuffer
    ) throws(LanceError) {
        if bits == 0 {
            // Nothing is stored, so nothing but this limit keeps the count in proportion.
            guard count <= maxImpliedValues else { throw .limitExceeded("\(count) values packed to 0 bits") }
            target.appendZeros(range.count * MemoryLayout<T>.size)
            return
        }
        let block = FastLanes.blockValues
        let blockBytes = FastLanes.packedByteCount(width: bits)
        let size = MemoryLayout<T>.size
        let whole = count / block
        let tail = count % block
        let tailIsRaw = tail > 0 && bytes.count == whole * blockBytes + tail * size
        let needed = try (whole + (tail > 0 && !tailIsRaw ? 1 : 0)).multiplied(by: blockBytes, "packed bytes")
        guard tailIsRaw || bytes.count >= needed else { throw short(bytes, count) }
        guard !range.isEmpty, let base = bytes.baseAddress else { return }
        for index in (range.lowerBound / block)...((range.upperBound - 1) / block) {
            let start = index * block
            let part = max(range.lowerBound - start, 0)..<min(range.upperBound - start, block)
            if index == whole, tailIsRaw {
                target.append(base + whole * blockBytes + part.lowerBound * size, part.count * size)
            } else {
                unpackBlock(base + index * blockBytes, type, bits, part, target)
            }
        }
    }

    private static func expandRuns(
        _ buffers: ArraySlice<UnsafeRawBufferPointer>,
        width: Int,
        count: Int,
        range: Range<Int>,
        into target: OutputBuffer
    ) throws(LanceError) {
        guard buffers.count >= 2 else { throw .corrupt("a run-length chunk with one buffer") }
        try expandRuns(
            values: buffers[buffers.startIndex],
            lengths: buffers[buffers.startIndex + 1],
            width: width,
            count: count,
            range: range,
            into: target
        )
    }

    static func expandRuns(
        values: UnsafeRawBufferPointer,
        lengths: UnsafeRawBufferPointer,
        width: Int,
        count: Int,
        range: Range<Int>,
        into target: OutputBuffer
    ) throws(LanceError) {
        switch width {
        case 1: try expandRuns(values, lengths, UInt8.self, count, range, target)
        case 2: try expandRuns(values, lengths, UInt16.self, count, range, target)
        case 4: try expandRuns(values, lengths, UInt32.self, count, range, target)
        case 8: try expandRuns(values, lengths, UInt64.self, count, range, target)
        default: throw .corrupt("runs of \(width)-byte values")
        }
    }

    private static func expandRuns<T: FixedWidthInteger & BitwiseCopyable>(
        _ values: UnsafeRawBufferPointer,
        _ lengths: UnsafeRawBufferPointer,
        _ type: T.Type,
        _ count: Int,
        _ range: Range<Int>,
        _ target: OutputBuffer
    ) throws(LanceError) {
        let size = MemoryLayout<T>.size
        guard values.count / size >= lengths.count else { throw .corrupt("more run lengths than run values") }
        guard !range.isEmpty, let base = values.baseAddress else {
            if range.isEmpty { return }
            throw short(values, count)
        }
        // Check the sum before any room is taken for it.
        var total = 0
        for length in lengths { total += Int(length) }
        guard total == count else { throw .corrupt("run lengths sum to \(total) instead of \(count)") }
        let output = target.extend(by: range.count * size).assumingMemoryBound(to: T.self)
        var position = 0
        for run in 0..<lengths.count {
            let end = position + Int(lengths[run])
            let from = max(position, range.lowerBound)
            let to = min(end, range.upperBound)
            if from < to {
                let value = base.loadUnaligned(fromByteOffset: run * size, as: T.self)
                for index in (from - range.lowerBound)..<(to - range.lowerBound) { output[index] = value }
            }
            position = end
            if position >= range.upperBound { break }
        }
    }

    /// Spreads rows of concatenated fields over the fields' collectors.
    static func appendPacked(
        _ bytes: UnsafeRawBufferPointer,
        _ widths: [Int],
        _ range: Range<Int>,
        _ children: [ValueAccumulator]
    ) throws(LanceError) {
        guard let base = bytes.baseAddress else { return }
        let stride = widths.reduce(0, +)
        var fieldOffset = 0
        for (child, width) in zip(children, widths) {
            var target = child
            while case .list(let list) = target {
                list.count += range.count
                target = list.child
            }
            guard case .fixed(let output, _) = target else { throw .corrupt("a packed field of no fixed width") }
            let room = output.extend(by: range.count * width)
            for (row, index) in range.enumerated() {
                (room + row * width).copyMemory(from: base + index * stride + fieldOffset, byteCount: width)
            }
            fieldOffset += width
        }
    }
}
