import LancerArrow
import LancerBytes
import LancerCodecs

/// Takes single values out of the chunks of a page without lists, whose values have a fixed width and stand each by itself.
///
/// What a general decoder does for each row (finding buffers, collecting levels, appending) costs far more than the
/// value. Here a row costs little more than the memory it touches: a take of 1,000 rows of three columns needs half the
/// time. The picker knows no errors: it stops at the first row whose chunk is not as expected, for the general decoder
/// to go on there and say what is wrong. Spec: 03-mini-block.md, "Chunks".
struct ChunkPicker {
    /// Encodings that values can be picked out of.
    private enum Source {
        case flat
        case bitmap
        case inline
        case outOfLine(bits: Int)

        init?(_ decoder: ValueDecoder) {
            switch decoder {
            case .flat: self = .flat
            case .bitmap: self = .bitmap
            case .inlineBitpacking: self = .inline
            case .outOfLineBitpacking(_, let bits) where bits > 0: self = .outOfLine(bits: bits)
            default: return nil
            }
        }
    }

    private let chunks: MiniBlockChunks
    private let source: Source
    private let levels: Source?
    private let hasLargeSizes: Bool
    /// Values of a page dictionary; picked indices must be below. Nil when the values are no indices.
    private let itemCount: Int?

    /// A picker for a page, or nil when its values cannot be picked.
    init?(_ page: MiniBlockPage) {
        guard page.repetition == nil, page.layout.bufferCount == 1, let source = Source(page.values) else { return nil }
        self.source = source
        levels = page.definition.flatMap { Source($0) }
        if page.definition != nil, levels == nil { return nil }
        chunks = page.chunks
        hasLargeSizes = page.layout.hasLargeChunks
        itemCount = page.dictionary?.values.length
    }

    /// Rows picked: bytes of the values (bits: a byte each) and definition levels, if the page has any.
    final class Picked {
        fileprivate(set) var count = 0
        let values: OutputBuffer
        let levels: OutputBuffer?

        fileprivate init(valueBytes: Int, levelBytes: Int?) {
            values = OutputBuffer(capacity: valueBytes)
            levels = levelBytes.map { OutputBuffer(capacity: $0) }
        }
    }

    /// Picks rows, as many as possible.
    ///
    /// - Parameters:
    ///   - rows: Single rows of the page, ascending.
    ///   - width: Bytes of a value.
    func pick(_ rows: ArraySlice<Range<Int>>, of data: PageData, width: Int) -> Picked {
        let picked = Picked(valueBytes: rows.count * width, levelBytes: levels == nil ? nil : rows.count * 2)
        let values = picked.values.room(rows.count * width)
        let levelRoom = picked.levels?.room(rows.count * 2)
        let all = try? data.pointer(1, 0..<chunks.byteOffsets[chunks.count])
        var done = 0
        for row in rows {
            let row = row.lowerBound
            let number = chunks.chunk(ofValue: row)
            let bytes = chunks.byteOffsets[number]..<chunks.byteOffsets[number + 1]
            let chunk: UnsafeRawBufferPointer
            if let all {
                chunk = UnsafeRawBufferPointer(rebasing: all[bytes])
            } else {
                guard let found = try? data.pointer(1, bytes) else { break }
                chunk = found
            }
            let first = chunks.valueOffsets[number]
            let count = chunks.valueOffsets[number + 1] - first
            guard let parts = parts(of: chunk, count) else { break }
            var level: UInt16 = 0
            if let levels, let levelBytes = parts.levels {
                guard pick(row - first, of: count, in: levelBytes, levels, 2, &level) else { break }
                levelRoom?.storeBytes(of: level, toByteOffset: done * 2, as: UInt16.self)
            }
            let target = values + done * width
            guard pick(row - first, of: count, in: parts.values, source, width, target) else { break }
            if let itemCount, Int(target.loadUnaligned(as: UInt32.self)) >= itemCount {
                // A null slot may hold any index.
                guard level > 0 else { break }
                target.storeBytes(of: 0, as: UInt32.self)
            }
            done += 1
        }
        picked.values.advance(by: done * width)
        picked.levels?.advance(by: done * 2)
        picked.count = done
        return picked
    }

    /// The buffers of a chunk of `count` values.
    @inline(__always)
    private func parts(
        of chunk: UnsafeRawBufferPointer,
        _ count: Int
    ) -> (levels: UnsafeRawBufferPointer?, values: UnsafeRawBufferPointer)? {
        let levelBuffers = levels == nil ? 0 : 1
        guard
            var parts = ChunkParts(
                chunk,
                levelBuffers: levelBuffers,
                valueBuffers: 1,
                hasLargeSizes: hasLargeSizes
            )
        else { return nil }
        var levelBytes: UnsafeRawBufferPointer?
        if levels != nil {
            guard parts.levelCount == count, let bytes = parts.nextLevels() else { return nil }
            levelBytes = bytes
        }
        guard let values = parts.nextValues() else { return nil }
        return (levelBytes, values)
    }

    /// Picks one of `count` values of `width` bytes; false when the bytes do not hold so many.
    @inline(__always)
    private func pick(
        _ index: Int,
        of count: Int,
        in bytes: UnsafeRawBufferPointer,
        _ source: Source,
        _ width: Int,
        _ target: UnsafeMutableRawPointer
    ) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        switch source {
        case .flat:
            guard bytes.count / width >= count else { return false }
            target.copyMemory(from: base + index * width, byteCount: width)
            return true
        case .bitmap:
            guard bytes.count * 8 >= count else { return false }
            target.storeBytes(of: bytes[index >> 3] >> UInt8(index & 7) & 1, as: UInt8.self)
            return true
        case .inline:
            switch width {
            case 1: return Self.pick(index, of: count, bytes, base, UInt8.self, target)
            case 2: return Self.pick(index, of: count, bytes, base, UInt16.self, target)
            case 4: return Self.pick(index, of: count, bytes, base, UInt32.self, target)
            case 8: return Self.pick(index, of: count, bytes, base, UInt64.self, target)
            default: return false
            }
        case .outOfLine(let bits):
            switch width {
            case 1: return Self.pick(index, of: count, bits, bytes, base, UInt8.self, target)
            case 2: return Self.pick(index, of: count, bits, bytes, base, UInt16.self, target)
            case 4: return Self.pick(index, of: count, bits, bytes, base, UInt32.self, target)
            case 8: return Self.pick(index, of: count, bits, bytes, base, UInt64.self, target)
            default: return false
            }
        }
    }

    /// Out of one block with its packed width in front.
    @inline(__always)
    private static func pick<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ index: Int,
        of count: Int,
        _ bytes: UnsafeRawBufferPointer,
        _ base: UnsafeRawPointer,
        _ type: T.Type,
        _ target: UnsafeMutableRawPointer
    ) -> Bool {
        let size = MemoryLayout<T>.size
        guard count <= FastLanes.blockValues, bytes.count >= size else { return false }
        let bits = Int(truncatingIfNeeded: base.loadUnaligned(as: T.self))
        guard bits >= 0, bits <= T.bitWidth, bytes.count - size >= FastLanes.packedByteCount(width: bits) else {
            return false
        }
        let value = FastLanes.unpackSingle(base + size, width: bits, index: index, as: T.self)
        target.storeBytes(of: value, as: T.self)
        return true
    }

    /// Out of whole blocks of one packed width; not out of a last block that may be raw.
    @inline(__always)
    private static func pick<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ index: Int,
        of count: Int,
        _ bits: Int,
        _ bytes: UnsafeRawBufferPointer,
        _ base: UnsafeRawPointer,
        _ type: T.Type,
        _ target: UnsafeMutableRawPointer
    ) -> Bool {
        let block = index / FastLanes.blockValues
        let blockBytes = FastLanes.packedByteCount(width: bits)
        guard block < count / FastLanes.blockValues, bits <= T.bitWidth, bytes.count / blockBytes > block else {
            return false
        }
        let inBlock = index % FastLanes.blockValues
        let value = FastLanes.unpackSingle(base + block * blockBytes, width: bits, index: inBlock, as: T.self)
        target.storeBytes(of: value, as: T.self)
        return true
    }
}
