import LancerBytes
import LancerCodecs

/// Hands out the buffers of a record batch's body in order, decompressed where they are compressed.
///
/// Layout of a compressed buffer: the uncompressed size as a signed 64-bit number, then the codec's bytes; a size of -1
/// says that the bytes are as they are. A buffer of length 0 has no such number.
/// Spec: Arrow columnar format, "Compression"; Message.fbs.
struct IPCBodyReader {
    private enum Codec {
        case lz4
        case zstd
    }

    private let body: ArrowBuffer
    private let places: FlatVector?
    private let codec: Codec?
    private var index = 0
    /// How many bytes the body may expand to, by what the limits say.
    let expansionLimit: Int
    /// How many of them are left for decompression; buffers that overlap do not raise it.
    private var expansionLeft: Int

    /// Reads `buffers` and `compression` of a `RecordBatch` table.
    init(_ batch: FlatTable, body: ArrowBuffer, limits: DecodeLimits) throws(LanceError) {
        self.body = body
        places = try batch.vector(2, stride: 16)
        let (expansion, overflow) = body.count.multipliedReportingOverflow(by: limits.expansionFactor)
        expansionLimit = overflow ? limits.allocationBytes : Swift.min(expansion, limits.allocationBytes)
        expansionLeft = expansionLimit
        guard let compression = try batch.table(3) else {
            codec = nil
            return
        }
        guard try compression.number(1, absent: Int8(0)) == 0 else {
            throw .unsupported("the Arrow batch is compressed as a whole, not buffer by buffer")
        }
        let number = try compression.number(0, absent: Int8(0))
        switch number {
        case 0: codec = .lz4
        case 1: codec = .zstd
        default: throw .unsupported("the Arrow batch is compressed with codec number \(number)")
        }
    }

    /// Buffers not handed out yet.
    var remaining: Int { (places?.count ?? 0) - index }

    /// The next buffer.
    mutating func next() throws(LanceError) -> ArrowBuffer {
        guard let places, index < places.count else { throw .corrupt("the batch has too few buffers") }
        let offset = try places.number(index, at: 0, as: Int64.self)
        let count = try places.number(index, at: 8, as: Int64.self)
        defer { index += 1 }
        if count == 0 { return .empty }
        let stored = try body.checkedSlice(
            offset: Int(checked: offset, "a buffer's offset"),
            count: Int(checked: count, "a buffer's length"),
            "buffer \(index) of an Arrow batch"
        )
        guard let codec else { return stored }
        return try decompressed(stored, codec)
    }

    private mutating func decompressed(_ stored: ArrowBuffer, _ codec: Codec) throws(LanceError) -> ArrowBuffer {
        var reader = ByteReader(stored, what: "a compressed buffer")
        let size = try reader.read(Int64.self)
        let bytes = try reader.take(reader.remaining)
        if size == -1 { return bytes }
        guard size >= 0, size <= expansionLeft else {
            throw .limitExceeded(
                "buffer \(index) of an Arrow batch says it has \(size) bytes, \(bytes.count) compressed"
            )
        }
        expansionLeft -= Int(size)
        if size == 0 { return .empty }
        switch codec {
        case .lz4: return try LZ4Frame.decompress(bytes, uncompressedSize: Int(size))
        case .zstd: return try Zstd.decompress(bytes, uncompressedSize: Int(size))
        }
    }
}
