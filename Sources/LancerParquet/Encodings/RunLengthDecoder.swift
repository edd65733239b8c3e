import LancerBytes

/// Runs and bit-packed groups of small unsigned numbers: levels, dictionary indices, booleans.
///
/// Spec: Parquet, Encodings, "Run Length Encoding / Bit-Packing Hybrid". Numbers are decoded as they are asked for, so
/// that a run of a billion values takes no memory.
struct RunLengthDecoder {
    private let buffer: ArrowBuffer
    private let width: Int
    private var offset: Int
    private let end: Int
    /// Values left in the current run or group.
    private var left = 0
    private var isRun = false
    private var value: UInt32 = 0
    /// Next bit of the current group.
    private var bit = 0

    /// Decodes numbers of `width` (0…32) bits out of a part of a buffer.
    init(_ buffer: ArrowBuffer, _ range: Range<Int>, width: Int) throws(LanceError) {
        guard (0...32).contains(width) else { throw .corrupt("numbers of \(width) bits in a Parquet page") }
        self.buffer = buffer
        self.width = width
        offset = range.lowerBound
        end = range.upperBound
    }

    private mutating func nextRun() throws(LanceError) {
        var header: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard offset < end, shift < 63 else { throw .truncated("run-length data of a Parquet page ends too early") }
            let byte = buffer.start.load(fromByteOffset: offset, as: UInt8.self)
            offset += 1
            header |= UInt64(byte & 0x7F) &<< shift
            shift += 7
            if byte < 0x80 { break }
        }
        isRun = header & 1 == 0
        if isRun {
            left = Int(clamping: header >> 1)
            let bytes = (width + 7) / 8
            guard end - offset >= bytes else { throw .truncated("a run of a Parquet page has no value") }
            value = 0
            for byte in 0..<bytes {
                value |= UInt32(buffer.start.load(fromByteOffset: offset + byte, as: UInt8.self)) << UInt32(8 * byte)
            }
            offset += bytes
            if width < 32, value >> UInt32(width) != 0 {
                throw .corrupt("run value \(value) has more than \(width) bits")
            }
        } else {
            // The last group may be cut where its values end.
            let (groups, overflow) = (header >> 1).multipliedReportingOverflow(by: UInt64(max(width, 1)))
            let bytes = overflow ? end - offset : min(Int(clamping: groups), end - offset)
            bit = offset * 8
            left = width == 0 ? Int(clamping: min(header >> 1, 1 << 60)) * 8 : bytes * 8 / width
            if width > 0 { offset += bytes }
        }
    }

    /// Decodes the next `count` numbers, in pieces: `run` gets repeated values, `group` bit-packed ones.
    @inline(__always)
    private mutating func decode(
        _ count: Int,
        run: (_ at: Int, _ count: Int, _ value: UInt32) -> Void,
        group: (_ at: Int, _ count: Int, _ bit: Int) -> Void
    ) throws(LanceError) {
        var done = 0
        while done < count {
            while left == 0 { try nextRun() }
            let now = min(left, count - done)
            if isRun {
                run(done, now, value)
            } else {
                group(done, now, bit)
                bit += now * width
            }
            left -= now
            done += now
        }
    }

    /// Decodes `count` numbers of at most 8 bits.
    mutating func decode(_ count: Int, into target: UnsafeMutablePointer<UInt8>) throws(LanceError) {
        let unpacker = BitUnpacker(buffer, end: end, width: width)
        try decode(count) { at, count, value in
            (target + at).update(repeating: UInt8(truncatingIfNeeded: value), count: count)
        } group: { at, count, bit in
            unpacker.unpack(count, atBit: bit, into: target + at)
        }
    }

    /// Decodes `count` numbers.
    mutating func decode(_ count: Int, into target: UnsafeMutablePointer<UInt32>) throws(LanceError) {
        let unpacker = BitUnpacker(buffer, end: end, width: width)
        try decode(count) { at, count, value in
            (target + at).update(repeating: value, count: count)
        } group: { at, count, bit in
            unpacker.unpack(count, atBit: bit, into: target + at)
        }
    }
}

/// Takes numbers of one width out of packed bits, least significant bit first.
struct BitUnpacker {
    private let buffer: ArrowBuffer
    private let lastWord: Int
    private let end: Int
    private let mask: UInt64
    /// Bits of a number, 0…32.
    let width: Int

    init(_ buffer: ArrowBuffer, end: Int, width: Int) {
        self.buffer = buffer
        self.end = end
        lastWord = end - 8
        self.width = width
        mask = width == 0 ? 0 : UInt64.max >> UInt64(64 - width)
    }

    /// The number that starts at a bit of the buffer and lies before its end.
    @inline(__always)
    func value(atBit bit: Int) -> UInt32 {
        let byte = bit >> 3
        guard byte <= lastWord else { return slowValue(atBit: bit) }
        let word = buffer.start.loadUnaligned(fromByteOffset: byte, as: UInt64.self)
        return UInt32(truncatingIfNeeded: word &>> UInt64(truncatingIfNeeded: bit & 7) & mask)
    }

    /// How many of `count` numbers from a bit on can be read with a whole word each.
    private func safe(_ count: Int, atBit bit: Int, bitsAhead: Int) -> Int {
        guard width > 0 else { return count }
        let last = lastWord * 8 - bit - bitsAhead
        return last < 0 ? 0 : min(count, last / width + 1)
    }

    /// Unpacks `count` numbers that start at a bit and lie before the end.
    func unpack(_ count: Int, atBit bit: Int, into target: UnsafeMutablePointer<UInt32>) {
        let start = buffer.start
        let safe = safe(count, atBit: bit, bitsAhead: 0)
        var place = bit
        for index in 0..<safe {
            let word = start.loadUnaligned(fromByteOffset: place &>> 3, as: UInt64.self)
            target[index] = UInt32(truncatingIfNeeded: word &>> UInt64(truncatingIfNeeded: place & 7) & mask)
            place &+= width
        }
        for index in safe..<count { target[index] = value(atBit: bit + index * width) }
        withExtendedLifetime(buffer) {}
    }

    /// Unpacks `count` numbers of at most 8 bits that start at a bit and lie before the end.
    func unpack(_ count: Int, atBit bit: Int, into target: UnsafeMutablePointer<UInt8>) {
        var done = 0
        if width > 0, width < 8 {
            // Eight numbers are in one word; halving their room three times gives each a byte of its own.
            let groups = safe(count, atBit: bit, bitsAhead: 7 * width) / 8
            let room = UnsafeMutableRawPointer(target)
            let half = UInt64(truncatingIfNeeded: width)
            let low: UInt64 = 1 &<< (4 &* half) &- 1
            let pairs: UInt64 = (1 &<< (2 &* half) &- 1) &* 0x0000_0001_0000_0001
            let singles: UInt64 = (1 &<< half &- 1) &* 0x0001_0001_0001_0001
            for group in 0..<groups {
                let place = bit &+ group &* 8 &* width
                var word = buffer.start.loadUnaligned(fromByteOffset: place &>> 3, as: UInt64.self).littleEndian
                word = word &>> UInt64(truncatingIfNeeded: place & 7)
                word = (word & low) | (word &>> (4 &* half) & low) &<< 32
                word = (word & pairs) | (word &>> (2 &* half) & pairs) &<< 16
                word = (word & singles) | (word &>> half & singles) &<< 8
                room.storeBytes(of: word.littleEndian, toByteOffset: group &* 8, as: UInt64.self)
            }
            done = groups * 8
        }
        for index in done..<count { target[index] = UInt8(truncatingIfNeeded: value(atBit: bit + index * width)) }
        withExtendedLifetime(buffer) {}
    }

    @inline(never)
    private func slowValue(atBit bit: Int) -> UInt32 {
        var word: UInt64 = 0
        let first = bit >> 3
        for index in 0..<8 where first + index < end {
            word |= UInt64(buffer.start.load(fromByteOffset: first + index, as: UInt8.self)) << UInt64(8 * index)
        }
        return UInt32(truncatingIfNeeded: word >> UInt64(bit & 7) & mask)
    }
}
