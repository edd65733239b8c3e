import LancerArrow
import LancerBytes
import LancerEncoding

/// Values and levels of one leaf column, as decoded.
final class DecodedLeaf {
    private let read: LeafRead
    private let values: ValueAccumulator
    private var levels: Levels?
    /// Where blobs are to be read, if the column holds blobs.
    private let blobs: BlobRanges?
    private var resolved: ArrowArray?

    init(_ read: LeafRead, _ values: ValueAccumulator, _ levels: Levels?, blobLayers: [RepDefLayer]?) {
        self.read = read
        self.values = values
        self.levels = levels
        blobs = blobLayers.map { BlobRanges(layers: $0) }
    }

    /// The levels, ready to be consumed; those of no rows when no page was read.
    func unraveler() -> LevelUnraveler? { levels.map { LevelUnraveler($0) } }

    /// The values of the visible slots, without validity.
    func array() throws(LanceError) -> ArrowArray {
        if let resolved { return resolved }
        let field = read.leaf.field
        let storedType = read.storedType
        if field.isBlob, values.count == 0 { return ArrowArray.empty(field.type) }
        if field.isBlob, case .structure = storedType, blobs == nil {
            // An all-null page of a blob column has no positions.
            return ArrowArray.nulls(type: field.type, length: values.count).replacingValidity(nil)
        }
        let stored = try values.finish(storedType, count: values.count)
        guard stored.type != field.type, field.isPackedStruct, case .structure(let children) = stored.storage else {
            return stored
        }
        // Only some children of a packed struct are wanted.
        var chosen: [ArrowArray] = []
        for child in field.type.children {
            guard let position = storedType.children.firstIndex(where: { $0.name == child.name }) else {
                throw .corrupt("a packed struct has no child \"\(child.name)\"")
            }
            chosen.append(children[position])
        }
        return ArrowArray(type: field.type, length: stored.length, storage: .structure(chosen))
    }

    /// Reads the blobs that the decoded values point to, if the column holds blobs.
    func resolve(from source: any RangeSource) async throws {
        if read.leaf.field.isBlobV2 {
            let descriptors = try BlobDescriptors(try values.finish(read.storedType, count: values.count))
            resolved = try await descriptors.read(from: source)
        } else if let blobs {
            try await resolve(blobs, from: source)
        }
    }

    /// Reads the blobs that the decoded pairs point to.
    private func resolve(_ blobs: BlobRanges, from source: any RangeSource) async throws {
        let pairs = try values.finish(read.storedType, count: values.count)
        let (entries, definition) = try blobs.entries(pairs, fileSize: source.size)
        let ranges = entries.compactMap { $0.isEmpty ? nil : $0 }
        let buffers = ranges.isEmpty ? [] : try await source.read(ranges)
        let output = VariableOutput(offsetWidth: 8, capacity: entries.count)
        output.data.reserve(buffers.reduce(0) { $0 + $1.count })
        var next = 0
        for entry in entries {
            if !entry.isEmpty {
                output.data.append(contentsOf: buffers[next])
                next += 1
            }
            try output.endValue()
        }
        resolved = ArrowArray(
            type: .largeBinary,
            length: entries.count,
            storage: .variableWidth(offsets: output.offsets.finish(), data: output.data.finish())
        )
        levels = Levels(layers: blobs.layers, repetition: nil, definition: definition, count: entries.count)
    }
}

/// What the (position, size) pairs of a blob column mean.
struct BlobRanges {
    let layers: [RepDefLayer]

    /// The file range of each blob (empty for nulls and empty values) and the definition levels.
    func entries(
        _ pairs: ArrowArray,
        fileSize: UInt64
    ) throws(LanceError) -> ([Range<UInt64>], definition: ArrowBuffer?) {
        guard case .structure(let children) = pairs.storage, children.count == 2,
            case .fixedWidth(let positions) = children[0].storage, case .fixedWidth(let sizes) = children[1].storage
        else { throw .corrupt("blob positions of another type") }
        var ranges: [Range<UInt64>] = []
        var levels: [UInt16] = []
        var total: UInt64 = 0
        var positionReader = ByteReader(positions, what: "blob positions")
        var sizeReader = ByteReader(sizes, what: "blob sizes")
        for _ in 0..<pairs.length {
            let position: UInt64 = try positionReader.read()
            let size: UInt64 = try sizeReader.read()
            if size == 0 {
                ranges.append(0..<0)
                let level = UInt16(truncatingIfNeeded: position >> 16)
                guard position >> 32 == 0, Int(level) <= layers.maxDefinition else {
                    throw .corrupt("a null blob with levels \(position)")
                }
                levels.append(level)
                continue
            }
            guard position <= fileSize, size <= fileSize - position else {
                throw .truncated("a blob of \(size) bytes at \(position) is not inside the file")
            }
            // Pairs may all point to the same bytes: what is read must stay in proportion to the file.
            total = try total.adding(size, "bytes of blobs")
            ranges.append(position..<(position + size))
            levels.append(0)
        }
        guard total <= fileSize &* 4 else {
            throw .limitExceeded("\(total) bytes of blobs from a file of \(fileSize) bytes")
        }
        return (ranges, layers.maxDefinition > 0 ? ArrowBuffer(levels) : nil)
    }
}
