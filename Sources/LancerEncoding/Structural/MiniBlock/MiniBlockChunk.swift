import LancerArrow
import LancerBytes
import LancerCodecs

/// The chunk of a page that is being read: its value buffers found, its levels decoded when they are wanted.
///
/// One object goes from chunk to chunk, so that a take of many rows allocates nothing for each of them. It looks into
/// memory that whoever calls ``load(_:_:)`` keeps alive. Spec: 03-mini-block.md, "Chunks".
final class MiniBlockChunk {
    private let page: MiniBlockPage
    /// Number of the chunk in the page; -1 before the first.
    private(set) var number = -1
    /// Values in the chunk.
    private(set) var valueCount = 0
    /// Level entries in the chunk; equals ``valueCount`` when the page has no levels.
    private(set) var entryCount = 0
    /// The chunk's value buffers.
    private(set) var valueBuffers: [UnsafeRawBufferPointer]
    private let repetition: LevelScratch?
    private let definition: LevelScratch?

    init(of page: MiniBlockPage) {
        self.page = page
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        valueBuffers = Array(repeating: none, count: page.layout.bufferCount)
        repetition = page.repetition.map { LevelScratch($0) }
        definition = page.definition.map { LevelScratch($0) }
    }

    /// Takes chunk `number` apart.
    func load(_ number: Int, _ bytes: UnsafeRawBufferPointer) throws(LanceError) {
        // Not half of one chunk and half of another, if this fails.
        self.number = -1
        guard
            var parts = ChunkParts(
                bytes,
                levelBuffers: (repetition == nil ? 0 : 1) + (definition == nil ? 0 : 1),
                valueBuffers: valueBuffers.count,
                hasLargeSizes: page.layout.hasLargeChunks
            )
        else { throw Self.tooShort(bytes) }
        let levelCount = parts.levelCount
        if let repetition {
            guard let part = parts.nextLevels() else { throw Self.tooShort(bytes) }
            repetition.load(part, levelCount)
        }
        if let definition {
            guard let part = parts.nextLevels() else { throw Self.tooShort(bytes) }
            definition.load(part, levelCount)
        }
        for index in valueBuffers.indices {
            guard let part = parts.nextValues() else { throw Self.tooShort(bytes) }
            valueBuffers[index] = part
        }
        valueCount = page.chunks.valueOffsets[number + 1] - page.chunks.valueOffsets[number]
        entryCount = repetition == nil && definition == nil ? valueCount : levelCount
        if page.layers.maxRepetition == 0, entryCount != valueCount {
            throw .corrupt("\(levelCount) levels for \(valueCount) values")
        }
        self.number = number
    }

    @inline(never)
    private static func tooShort(_ bytes: UnsafeRawBufferPointer) -> LanceError {
        .truncated("the parts of a chunk do not fit its \(bytes.count) bytes")
    }

    /// Appends the levels of some entries.
    func appendLevels(
        _ entries: Range<Int>,
        to levels: LevelCollector,
        _ translation: LevelCollector.Translation?
    ) throws(LanceError) {
        try levels.append(
            repetition: try repetition?.levels(entries),
            definition: try definition?.levels(entries),
            count: entries.count,
            translation: translation
        )
    }

    /// Entries that are counted at once.
    private static let countedBlock = 64

    /// How many of the next ``countedBlock`` levels are `limit` or more.
    @inline(__always)
    private static func countNotBelow(_ limit: UInt16, _ levels: UnsafePointer<UInt16>) -> Int {
        // Left to itself the compiler makes a branch of each comparison, which costs more than all else in a take.
        let limits = SIMD8(repeating: limit)
        var counts = SIMD8<UInt16>.zero
        for index in stride(from: 0, to: countedBlock, by: 8) {
            let some = UnsafeRawPointer(levels + index).loadUnaligned(as: SIMD8<UInt16>.self)
            counts &+= SIMD8.zero.replacing(with: 1, where: some .>= limits)
        }
        return Int(counts.wrappedSum())
    }

    /// The entries and value slots of the part of `rows` that lies in this chunk.
    func span(
        of rows: Range<Int>,
        chunks: MiniBlockChunks,
        layers: [RepDefLayer]
    ) throws(LanceError) -> (entries: Range<Int>, values: Range<Int>) {
        guard let repetition else {
            let first = chunks.valueOffsets[number]
            let low = max(rows.lowerBound - first, 0)
            let high = min(rows.upperBound - first, valueCount)
            return (low..<max(low, high), low..<max(low, high))
        }
        if chunks.isWhole(number, in: rows) { return (0..<entryCount, 0..<valueCount) }
        let rowStart = UInt16(layers.maxRepetition)
        let visible = UInt16(layers.maxVisibleDefinition)
        // The row of the entry before the first one.
        var row = chunks.rowOffsets[number] - (chunks.continuesRow[number] ? 0 : 1)
        var entry = 0
        var slot = 0
        var first: (entry: Int, slot: Int)?
        let base = try repetition.levels(0..<entryCount)
        let definition = try definition?.levels(0..<entryCount)
        // Whole blocks before the first row wanted are only counted.
        while entryCount - entry >= Self.countedBlock {
            let starts = Self.countNotBelow(rowStart, base + entry)
            if row + starts >= rows.lowerBound { break }
            row += starts
            if let definition {
                slot += Self.countedBlock - Self.countNotBelow(visible + 1, definition + entry)
            } else {
                slot += Self.countedBlock
            }
            entry += Self.countedBlock
        }
        while entry < entryCount {
            if base[entry] >= rowStart { row += 1 }
            if row >= rows.upperBound { break }
            if row >= rows.lowerBound, first == nil { first = (entry, slot) }
            if definition.map({ $0[entry] <= visible }) ?? true { slot += 1 }
            entry += 1
        }
        guard slot <= valueCount else { throw .corrupt("levels speak of more than \(valueCount) values") }
        let start = first ?? (entry, slot)
        return (start.entry..<entry, start.slot..<slot)
    }

    /// Whether value slot `slot` belongs to a null.
    func isNull(slot: Int, layers: [RepDefLayer]) throws(LanceError) -> Bool {
        guard let levels = try definition?.levels(0..<entryCount) else { return false }
        let visible = UInt16(layers.maxVisibleDefinition)
        var seen = 0
        for entry in 0..<entryCount where levels[entry] <= visible {
            if seen == slot { return levels[entry] > 0 }
            seen += 1
        }
        return false
    }
}

/// Repetition or definition levels of the chunk at hand, decoded when asked for.
private final class LevelScratch {
    private let decoder: ValueDecoder
    private let output = OutputBuffer()
    // An array, because that is what the decoder takes; always of one element.
    private var bytes: [UnsafeRawBufferPointer]
    private var count = 0
    private var isWhole = false

    /// Fewer levels than this are picked out of those encodings that allow it.
    private static let fewLevels = 16

    init(_ decoder: ValueDecoder) {
        self.decoder = decoder
        bytes = [UnsafeRawBufferPointer(start: nil, count: 0)]
    }

    func load(_ bytes: UnsafeRawBufferPointer, _ count: Int) {
        self.bytes[0] = bytes
        self.count = count
        isWhole = false
    }

    /// Some of the levels; the pointer is good until the next call.
    func levels(_ range: Range<Int>) throws(LanceError) -> UnsafePointer<UInt16> {
        if !isWhole {
            output.removeAll()
            if range.count < Self.fewLevels, decoder.picksValues {
                try decoder.decodeChunk(bytes[...], count: count, range: range, into: .fixed(output, width: 2))
                guard output.count == range.count * 2 else { throw wrongCount(range.count) }
                return output.start.assumingMemoryBound(to: UInt16.self)
            }
            try decoder.decodeBlock(bytes[0], count: count, into: .fixed(output, width: 2))
            guard output.count == count * 2 else { throw wrongCount(count) }
            isWhole = true
        }
        return UnsafePointer(output.start.assumingMemoryBound(to: UInt16.self) + range.lowerBound)
    }

    @inline(never)
    private func wrongCount(_ expected: Int) -> LanceError {
        .corrupt("\(output.count / 2) levels instead of \(expected)")
    }
}

extension ValueDecoder {
    /// Whether single levels can be decoded without those before them.
    fileprivate var picksValues: Bool {
        switch self {
        case .flat, .inlineBitpacking, .outOfLineBitpacking: true
        default: false
        }
    }
}
