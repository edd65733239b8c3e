import LancerBytes

/// Repetition or definition levels of one page.
enum LevelDecoder {
    /// The column has no such levels: all are zero.
    case none
    /// The usual form.
    case runs(RunLengthDecoder)
    /// The old form: bit-packed, most significant bit first.
    case packed(ArrowBuffer, bit: Int, width: Int)

    /// Bits that levels up to `maximum` take.
    static func width(_ maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }

    /// Levels of a v1 page, which start at `offset`; moves `offset` behind them.
    init(
        _ page: ArrowBuffer,
        _ offset: inout Int,
        maximum: Int,
        encoding: ParquetEncoding,
        count: Int
    ) throws(LanceError) {
        guard maximum > 0 else {
            self = .none
            return
        }
        let width = Self.width(maximum)
        switch encoding {
        case .rle:
            var reader = ByteReader(page, at: offset, what: "levels of a Parquet page")
            let size = Int(try reader.read(UInt32.self))
            guard size <= reader.remaining else {
                throw .truncated("levels of \(size) bytes in a Parquet page with \(reader.remaining) bytes left")
            }
            self = .runs(try RunLengthDecoder(page, (offset + 4)..<(offset + 4 + size), width: width))
            offset += 4 + size
        case .bitPacked:
            let size = (count * width + 7) / 8
            guard size <= page.count - offset else { throw .truncated("bit-packed levels of a Parquet page are cut") }
            self = .packed(page, bit: offset * 8, width: width)
            offset += size
        default: throw .unsupported("levels of a Parquet page in encoding \(encoding)")
        }
    }

    /// Levels of a v2 page, which take `range`.
    init(_ page: ArrowBuffer, _ range: Range<Int>, maximum: Int) throws(LanceError) {
        self = maximum == 0 ? .none : .runs(try RunLengthDecoder(page, range, width: Self.width(maximum)))
    }

    /// Decodes the next `count` levels, none of which may be above `maximum`.
    mutating func decode(
        _ count: Int,
        maximum: Int,
        into target: UnsafeMutablePointer<UInt8>
    ) throws(LanceError) {
        switch self {
        case .none:
            target.update(repeating: 0, count: count)
            return
        case .runs(var decoder):
            try decoder.decode(count, into: target)
            self = .runs(decoder)
        case .packed(let buffer, let bit, let width):
            for index in 0..<count {
                var level: UInt8 = 0
                for position in 0..<width {
                    let place = bit + index * width + position
                    let byte = buffer.start.load(fromByteOffset: place >> 3, as: UInt8.self)
                    level = level << 1 | byte >> UInt8(7 - place & 7) & 1
                }
                target[index] = level
            }
            self = .packed(buffer, bit: bit + count * width, width: width)
        }
        guard maximum >= UInt8.max || LevelBytes.count(target, count, atLeast: UInt8(maximum + 1)) == 0 else {
            let highest = UnsafeBufferPointer(start: target, count: count).max() ?? 0
            throw .corrupt("level \(highest) in a Parquet column with levels to \(maximum)")
        }
    }
}
