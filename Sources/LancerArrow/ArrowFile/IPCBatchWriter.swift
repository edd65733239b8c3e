import LancerBytes
import LancerCodecs

/// Turns arrays into the nodes, buffers and body of a `RecordBatch` message.
///
/// Slices are written as if they were whole: offsets start at zero, children and data are cut to what is used.
/// Spec: Arrow columnar format, "RecordBatch message"; Message.fbs.
struct IPCBatchWriter {
    private let compression: IPCCompression
    private var nodes: [Int64] = []
    private var buffers: [Int64] = []
    private var pieces: [ArrowBuffer] = []
    /// Size of the body so far, in bytes.
    private(set) var bodyLength = 0

    init(compression: IPCCompression) { self.compression = compression }

    /// Adds a column.
    mutating func append(_ array: ArrowArray) throws(LanceError) {
        let nullCount = array.nullCount
        nodes += [Int64(array.length), Int64(nullCount)]
        if case .null = array.storage { return }
        try append(nullCount == 0 ? .empty : (array.validity?.packed ?? .empty))
        switch array.storage {
        case .null: break
        case .boolean(let bits): try append(bits.packed)
        case .fixedWidth(let values): try append(values)
        case .variableWidth(_, let data):
            let range = array.offsetRange()
            try append(array.offsetsFromZero())
            try append(data.slice(range))
        case .list(_, let child):
            let range = array.offsetRange()
            try append(array.offsetsFromZero())
            try append(child.slice(range))
        case .fixedSizeList(let child): try append(child)
        case .structure(let children): for child in children { try append(child) }
        case .dictionary(let indices, _): try append(indices)
        }
    }

    private mutating func append(_ buffer: ArrowBuffer) throws(LanceError) {
        let stored = buffer.count == 0 ? buffer : try compressed(buffer)
        buffers += [Int64(bodyLength), Int64(stored.count)]
        if stored.count == 0 { return }
        pieces.append(stored)
        let padded = stored.count.rounded(upTo: IPCFormat.alignment)
        if padded > stored.count { pieces.append(ArrowBuffer(zeroed: padded - stored.count)) }
        bodyLength += padded
    }

    private func compressed(_ buffer: ArrowBuffer) throws(LanceError) -> ArrowBuffer {
        let packed: ArrowBuffer
        switch compression {
        case .none: return buffer
        case .lz4: packed = try LZ4Frame.compress(buffer)
        case .zstd(let level): packed = try Zstd.compress(buffer, level: level)
        }
        let pays = packed.count < buffer.count
        var result = BufferBuilder(capacity: 8 + Swift.min(packed.count, buffer.count))
        result.append(Int64(pays ? buffer.count : -1).littleEndian)
        result.append(contentsOf: pays ? packed : buffer)
        return result.finish()
    }

    /// Adds the `RecordBatch` table for the columns so far.
    func table(length: Int, in builder: inout FlatBufferBuilder) -> FlatBufferBuilder.Reference {
        let nodeVector = builder.vector(ofInt64: nodes, width: 2)
        let bufferVector = builder.vector(ofInt64: buffers, width: 2)
        var slots: [(slot: Int, field: FlatBufferBuilder.Field)] = [
            (0, .number(Int64(length))), (1, .reference(nodeVector)), (2, .reference(bufferVector)),
        ]
        switch compression {
        case .none: break
        case .lz4: slots.append((3, .reference(builder.table([(0, .number(Int8(0)))]))))
        case .zstd: slots.append((3, .reference(builder.table([(0, .number(Int8(1)))]))))
        }
        return builder.table(slots)
    }

    /// Writes the body; small buffers are put together first, large ones go out as they are.
    func writeBody(to sink: inout any ByteSink) throws(LanceError) {
        let large = 1 << 16
        var small = BufferBuilder()
        for piece in pieces {
            if piece.count < large {
                small.append(contentsOf: piece)
                continue
            }
            if small.count > 0 { try sink.write(small.finish()) }
            small = BufferBuilder()
            try sink.write(piece)
        }
        if small.count > 0 { try sink.write(small.finish()) }
    }
}

extension Bitmap {
    /// Exactly the bytes that hold the bits, starting at bit 0.
    fileprivate var packed: ArrowBuffer {
        // A bitmap that starts at a whole byte goes out without a copy; its spare bits mean nothing.
        bitOffset % 8 == 0 ? buffer.slice((bitOffset / 8)..<(bitOffset / 8 + (count + 7) / 8)) : compacted().buffer
    }
}

extension ArrowArray {
    /// The offsets, moved so that the first is zero.
    fileprivate func offsetsFromZero() -> ArrowBuffer {
        guard let width = type.offsetWidth else { return .empty }
        switch storage {
        case .variableWidth(let offsets, _), .list(let offsets, _):
            if length == 0 { return ArrowBuffer(zeroed: width) }
            let used = offsets.slice(0..<((length + 1) * width))
            if used.offset(at: 0, width: width) == 0 { return used }
            return width == 4 ? used.movedToZero(Int32.self) : used.movedToZero(Int64.self)
        default: return .empty
        }
    }
}

extension ArrowBuffer {
    fileprivate func movedToZero<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> ArrowBuffer {
        withUnsafeBytes { source in
            let first = source.loadUnaligned(as: T.self)
            return ArrowBuffer(count: count) { target in
                let width = MemoryLayout<T>.size
                for place in stride(from: 0, to: count, by: width) {
                    let offset = source.loadUnaligned(fromByteOffset: place, as: T.self)
                    target.storeBytes(of: offset &- first, toByteOffset: place, as: T.self)
                }
            }
        }
    }
}
