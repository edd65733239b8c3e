import CArrowData
import LancerBytes

extension ArrowCData {
    /// Fills `target` with an array; the receiver calls its `release`. The schema goes separately.
    ///
    /// Values are shared, not copied, with three exceptions: bitmaps that start within a byte, buffers that are not
    /// aligned for their values, and offsets of an array of no values.
    public static func export(_ array: ArrowArray, to target: UnsafeMutablePointer<CArrowArray>) {
        let exported = ExportedArray(array)
        target.initialize(
            to: CArrowArray(
                length: Int64(array.length),
                null_count: Int64(array.nullCount),
                offset: 0,
                n_buffers: Int64(exported.bufferCount),
                n_children: Int64(exported.children.count),
                buffers: exported.bufferPointers,
                children: exported.children.pointers,
                dictionary: exported.dictionary.pointers?.pointee,
                release: { array in
                    guard let array, let owner = array.pointee.private_data else { return }
                    array.pointee.release = nil
                    array.pointee.private_data = nil
                    Unmanaged<ExportedArray>.fromOpaque(owner).release()
                },
                private_data: Unmanaged.passRetained(exported).toOpaque()
            )
        )
    }

    /// Fills `target` with the rows of a batch, as a structure array of its columns.
    public static func export(_ batch: RecordBatch, to target: UnsafeMutablePointer<CArrowArray>) {
        let rows = ArrowArray(
            type: .structure(batch.schema.fields),
            length: batch.rowCount,
            storage: .structure(batch.columns)
        )
        export(rows, to: target)
    }
}

/// The memory behind an exported array.
private final class ExportedArray {
    let children: ReleasableList<CArrowArray>
    let dictionary: ReleasableList<CArrowArray>
    let bufferCount: Int
    let bufferPointers: UnsafeMutablePointer<UnsafeRawPointer?>
    /// Keeps the memory of the pointers.
    private let buffers: [ArrowBuffer?]

    init(_ array: ArrowArray) {
        var parts: [ArrowArray] = []
        var values: ArrowArray?
        var buffers: [ArrowBuffer?] = [array.validity.map(Self.bytes)]
        switch array.storage {
        case .null: buffers = []
        case .boolean(let bits): buffers.append(Self.bytes(bits))
        case .fixedWidth(let bytes): buffers.append(bytes.aligned(to: Self.alignment(array.type.byteWidth ?? 1)))
        case .variableWidth(_, let data): buffers += [Self.offsets(array), data]
        case .list(_, let child):
            buffers.append(Self.offsets(array))
            parts = [child]
        case .fixedSizeList(let child): parts = [child]
        case .structure(let members): parts = members
        case .dictionary(let indices, let distinct):
            buffers.append(indices.aligned(to: Self.alignment(array.type.byteWidth ?? 1)))
            values = distinct
        }
        children = ReleasableList(count: parts.count)
        for (index, part) in parts.enumerated() { ArrowCData.export(part, to: children[index]) }
        dictionary = ReleasableList(count: values == nil ? 0 : 1)
        if let values { ArrowCData.export(values, to: dictionary[0]) }
        self.buffers = buffers
        bufferCount = buffers.count
        bufferPointers = .allocate(capacity: buffers.count)
        for (index, buffer) in buffers.enumerated() { (bufferPointers + index).initialize(to: buffer?.start) }
    }

    deinit { bufferPointers.deallocate() }

    private static func bytes(_ bits: Bitmap) -> ArrowBuffer {
        if bits.bitOffset & 7 != 0 { return bits.compacted().buffer }
        let first = bits.bitOffset / 8
        return bits.buffer.slice(first..<(first + (bits.count + 7) / 8))
    }

    private static func offsets(_ array: ArrowArray) -> ArrowBuffer {
        let width = array.type.offsetWidth ?? 4
        guard array.length > 0, let offsets = array.offsetsBuffer else { return ArrowBuffer(zeroed: 8) }
        return offsets.aligned(to: width)
    }

    /// What receivers may ask of values of `width` bytes (decimals are read as 64-bit words, texts byte by byte).
    private static func alignment(_ width: Int) -> Int {
        switch width {
        case 2, 4, 8: width
        case 16, 32: 8
        default: 1
        }
    }
}
