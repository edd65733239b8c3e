import LancerBytes

/// Integers as differences, packed in miniblocks.
///
/// Spec: Parquet, Encodings, "Delta Encoding (DELTA_BINARY_PACKED = 5)". Decoded as asked for; sums wrap around.
struct DeltaDecoder {
    private let buffer: ArrowBuffer
    private var offset: Int
    private let end: Int
    private let miniblockSize: Int
    private let miniblockCount: Int
    /// Values that the header declares.
    let count: Int
    /// Values not yet given out.
    private(set) var left: Int
    private var value: Int64
    private var isFirst = true
    private var minimum: Int64 = 0
    /// Where the widths of the current block's miniblocks stand.
    private var widths = 0
    private var miniblock: Int
    private var inMiniblock = 0
    private var width = 0

    /// Reads the header at `offset` of a buffer.
    init(_ buffer: ArrowBuffer, at offset: Int) throws(LanceError) {
        self.buffer = buffer
        self.offset = offset
        end = buffer.count
        var cursor = offset
        let blockSize = try Self.varint(buffer, &cursor)
        let miniblocks = try Self.varint(buffer, &cursor)
        let total = try Self.varint(buffer, &cursor)
        value = Self.unzigzag(try Self.varint(buffer, &cursor))
        guard miniblocks > 0, blockSize > 0, blockSize <= 1 << 30, miniblocks <= 1 << 16,
            blockSize.isMultiple(of: miniblocks), (blockSize / miniblocks).isMultiple(of: 8), total <= 1 << 31
        else { throw .corrupt("delta header of blocks of \(blockSize) in \(miniblocks) miniblocks, \(total) values") }
        miniblockSize = Int(blockSize / miniblocks)
        miniblockCount = Int(miniblocks)
        count = Int(total)
        left = count
        miniblock = miniblockCount
        self.offset = cursor
    }

    private static func varint(_ buffer: ArrowBuffer, _ cursor: inout Int) throws(LanceError) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard cursor < buffer.count else { throw .truncated("delta-encoded data ends in a number") }
            let byte = buffer.start.load(fromByteOffset: cursor, as: UInt8.self)
            cursor += 1
            result |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return result }
            shift += 7
            if shift > 63 { throw .corrupt("delta-encoded number of more than 64 bits") }
        }
    }

    private static func unzigzag(_ raw: UInt64) -> Int64 { Int64(bitPattern: raw &>> 1) ^ -Int64(bitPattern: raw & 1) }

    /// Opens the next miniblock.
    private mutating func nextMiniblock() throws(LanceError) {
        offset += width * miniblockSize / 8
        if miniblock == miniblockCount {
            minimum = Self.unzigzag(try Self.varint(buffer, &offset))
            guard offset <= end, end - offset >= miniblockCount else {
                throw .truncated("delta-encoded block has no widths")
            }
            widths = offset
            offset += miniblockCount
            miniblock = 0
        }
        width = Int(buffer.start.load(fromByteOffset: widths + miniblock, as: UInt8.self))
        guard width <= 64 else { throw .corrupt("delta-encoded miniblock of \(width) bits") }
        miniblock += 1
        inMiniblock = 0
        // Values needed must be there; padding behind the last may be missing.
        let needed = (min(left, miniblockSize) * width + 7) / 8
        guard offset <= end, needed <= end - offset else { throw .truncated("delta-encoded miniblock is cut") }
    }

    /// Decodes the next `count` values, which must be there.
    mutating func decode(_ count: Int, _ body: (Int64) throws(LanceError) -> Void) throws(LanceError) {
        guard count <= left else { throw .truncated("delta-encoded data of \(self.count) values is asked for more") }
        var done = 0
        if isFirst, count > 0 {
            isFirst = false
            try body(value)
            left -= 1
            done = 1
            // The first miniblock is opened like one that follows a full one.
            inMiniblock = miniblockSize
        }
        while done < count {
            if inMiniblock == miniblockSize { try nextMiniblock() }
            let now = min(miniblockSize - inMiniblock, count - done)
            var bit = inMiniblock * width
            for _ in 0..<now {
                value = value &+ minimum &+ Int64(bitPattern: packed(bit))
                try body(value)
                bit += width
            }
            inMiniblock += now
            left -= now
            done += now
        }
    }

    @inline(__always)
    private func packed(_ bit: Int) -> UInt64 {
        if width == 0 { return 0 }
        let first = offset &+ (bit >> 3)
        let shift = UInt64(truncatingIfNeeded: bit & 7)
        let mask = UInt64.max &>> UInt64(truncatingIfNeeded: 64 &- width)
        if first &+ 9 <= end {
            var word = buffer.start.loadUnaligned(fromByteOffset: first, as: UInt64.self) &>> shift
            if Int(shift) &+ width > 64 {
                word |= UInt64(buffer.start.load(fromByteOffset: first &+ 8, as: UInt8.self)) &<< (64 &- shift)
            }
            return word & mask
        }
        var word: UInt64 = 0
        for index in 0..<9 where first + index < end {
            let byte = UInt64(buffer.start.load(fromByteOffset: first + index, as: UInt8.self))
            let place = index * 8 - Int(shift)
            word |= place < 0 ? byte >> UInt64(-place) : place < 64 ? byte << UInt64(place) : 0
        }
        return word & mask
    }

    /// Where the data ends: behind the last miniblock that holds values. Uses the decoder up.
    consuming func endOffset() throws(LanceError) -> Int {
        if left == 0 { return offset }
        if isFirst { left -= 1 }
        while left > 0 {
            try nextMiniblock()
            left -= min(left, miniblockSize)
        }
        let last = offset + width * miniblockSize / 8
        // Unused miniblocks of the last block have widths but no bytes.
        return min(last, end)
    }
}
