import LancerArrow
import LancerBytes

/// Stores large values beside their column: the column keeps only where they are.
///
/// Works in two steps, so that no more than a batch of values is ever held: ``references(of:path:store:)`` hands the
/// values of a batch out and puts their places there instead, ``page(_:path:format:)`` makes pages of places.
/// Spec: 06-blob.md, "Blob layout".
package enum BlobEncoder {
    /// What a place is kept as while it waits for its page: u64 position, u64 size.
    private static let referenceType = ArrowType.fixedSizeBinary(16)

    /// The array with every value of its leaf replaced by its place. `store` writes one value and returns its position.
    ///
    /// - Throws: `unsupported` when a list or vector is around the values.
    package static func references(
        of array: ArrowArray,
        path: LeafPath,
        store: (ArrowBuffer) throws(LanceError) -> UInt64
    ) throws(LanceError) -> ArrowArray {
        try references(of: array, path.steps[...], outerValidity: nil, store)
    }

    private static func references(
        of array: ArrowArray,
        _ steps: ArraySlice<LeafPath.Step>,
        outerValidity: Bitmap?,
        _ store: (ArrowBuffer) throws(LanceError) -> UInt64
    ) throws(LanceError) -> ArrowArray {
        if let step = steps.first {
            guard case .structure = step, case .structure(let children) = array.storage, let child = children.first
            else {
                throw .unsupported("blobs inside lists")
            }
            let below = try references(of: child, steps.dropFirst(), outerValidity: array.validity, store)
            return ArrowArray(
                type: .structure([ArrowField("", below.type)]),
                length: array.length,
                validity: array.validity,
                storage: .structure([below])
            )
        }
        guard case .variableWidth(let offsets, let data) = array.storage else {
            throw .unsupported("blobs of type \(array.type)")
        }
        let width = array.type.offsetWidth ?? 8
        var places = BufferBuilder(capacity: array.length * 16)
        for slot in 0..<array.length {
            var position: UInt64 = 0
            var size: UInt64 = 0
            let isNull = array.isNull(slot) || outerValidity.map { !$0[slot] } ?? false
            if !isNull {
                let start = offsets.offset(at: slot, width: width)
                let end = offsets.offset(at: slot + 1, width: width)
                let value = try data.checkedSlice(offset: start, count: end - start, "a blob")
                if value.count > 0 {
                    position = try store(value)
                    size = UInt64(value.count)
                }
            }
            places.append(position)
            places.append(size)
        }
        return ArrowArray(
            type: referenceType,
            length: array.length,
            validity: array.validity,
            storage: .fixedWidth(places.finish())
        )
    }

    /// A page of places. An empty value is at 0 with size 0; a null has size 0, too, and its levels as position.
    static func page(_ levels: LeafLevels, _ values: LeafValues, format: PageFormat) -> EncodedPage? {
        guard case .fixed(let places) = values, levels.repetition == nil else { return nil }
        var rows = places
        if let definition = levels.definition {
            rows.bytes = ArrowBuffer(count: places.bytes.count) { target in
                places.bytes.withUnsafeBytes { target.copyMemory(from: $0) }
                for (entry, level) in definition.enumerated() where level != 0 {
                    target.storeBytes(of: UInt64(level) << 16, toByteOffset: entry * 16, as: UInt64.self)
                    target.storeBytes(of: UInt64(0), toByteOffset: entry * 16 + 8, as: UInt64.self)
                }
            }
        }
        let plain = LeafLevels(
            layers: [.allValidItem],
            repetition: nil,
            definition: nil,
            count: levels.count,
            visibleCount: levels.count,
            rowCount: levels.rowCount
        )
        let encoding = CompressiveEncoding.packedStruct(bitsPerField: [64, 64], values: .flat(bits: 128))
        let chunks = FlatEncoder.chunks(rows.bytes, bits: 128, count: rows.count, encoding)
        guard var page = MiniBlockEncoder(format: format).page(plain, chunks) else { return nil }
        page.layout = .blob(inner: page.layout, layers: levels.layers)
        return page
    }
}
