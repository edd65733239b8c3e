import LancerArrow
import LancerBytes

/// One chunk: its levels decoded, its value buffers found.
struct MiniBlockChunk {
    /// Number of the chunk in the page.
    let number: Int
    /// Values in the chunk.
    let valueCount: Int
    /// Level entries in the chunk; equals ``valueCount`` when the page has no levels.
    let entryCount: Int
    /// 16-bit levels, if the page has them.
    let repetition: ArrowBuffer?
    let definition: ArrowBuffer?
    /// The chunk; ``valueBuffers`` point into it.
    private let bytes: ArrowBuffer
    private let valueBuffers: [UnsafeRawBufferPointer]

    /// Takes a chunk apart.
    init(_ number: Int, _ bytes: ArrowBuffer, _ page: MiniBlockPage) throws(LanceError) {
        self.number = number
        self.bytes = bytes
        valueCount = page.chunks.valueOffsets[number + 1] - page.chunks.valueOffsets[number]
        var reader = ByteReader(bytes, what: "chunk header")
        let levelCount = Int(try reader.read(UInt16.self))
        let repetitionBytes = page.repetition == nil ? 0 : Int(try reader.read(UInt16.self))
        let definitionBytes = page.definition == nil ? 0 : Int(try reader.read(UInt16.self))
        // The sizes are read again below, when it is known where the buffers start.
        let sizeBytes = page.layout.hasLargeChunks ? 4 : 2
        var sizes = reader
        try reader.skip(page.layout.bufferCount * sizeBytes)
        try reader.align(to: 8)
        repetition = try Self.levels(page.repetition, repetitionBytes, levelCount, &reader)
        definition = try Self.levels(page.definition, definitionBytes, levelCount, &reader)
        var buffers: [UnsafeRawBufferPointer] = []
        buffers.reserveCapacity(page.layout.bufferCount)
        for index in 0..<page.layout.bufferCount {
            let size = sizeBytes == 4 ? Int(try sizes.read(UInt32.self)) : Int(try sizes.read(UInt16.self))
            let buffer = try reader.take(size)
            buffers.append(UnsafeRawBufferPointer(start: buffer.start, count: buffer.count))
            // The chunk's own size includes the padding, but be lenient at its end.
            if index < page.layout.bufferCount - 1 { try reader.align(to: 8) }
        }
        valueBuffers = buffers
        entryCount = repetition == nil && definition == nil ? valueCount : levelCount
        if page.layers.maxRepetition == 0, entryCount != valueCount {
            throw .corrupt("\(levelCount) levels for \(valueCount) values")
        }
    }

    private static func levels(
        _ decoder: ValueDecoder?,
        _ size: Int,
        _ count: Int,
        _ reader: inout ByteReader
    ) throws(LanceError) -> ArrowBuffer? {
        guard let decoder else { return nil }
        let bytes = try reader.take(size)
        try reader.align(to: 8)
        return try decodeLevels(bytes, decoder, count)
    }

    func withLevels<E: Error>(
        _ body: (UnsafePointer<UInt16>?, UnsafePointer<UInt16>?) throws(E) -> Void
    ) throws(E) {
        // Safe: the buffers outlive the call, and were written as 16-bit values.
        let first = repetition.map { $0.start.assumingMemoryBound(to: UInt16.self) }
        let second = definition.map { $0.start.assumingMemoryBound(to: UInt16.self) }
        defer { withExtendedLifetime((repetition, definition)) {} }
        try body(first, second)
    }

    func withValueBuffers<E: Error>(_ body: ([UnsafeRawBufferPointer]) throws(E) -> Void) throws(E) {
        // Safe: the pointers are slices of `bytes`.
        defer { withExtendedLifetime(bytes) {} }
        try body(valueBuffers)
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
        repetition.withValues(of: UInt16.self) { repetition in
            let definition = definition.map { $0.start.assumingMemoryBound(to: UInt16.self) }
            guard let base = repetition.baseAddress else { return }
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
                if repetition[entry] >= rowStart { row += 1 }
                if row >= rows.upperBound { break }
                if row >= rows.lowerBound, first == nil { first = (entry, slot) }
                if definition.map({ $0[entry] <= visible }) ?? true { slot += 1 }
                entry += 1
            }
        }
        guard slot <= valueCount else { throw .corrupt("levels speak of more than \(valueCount) values") }
        let start = first ?? (entry, slot)
        return (start.entry..<entry, start.slot..<slot)
    }

    /// Whether value slot `slot` belongs to a null.
    func isNull(slot: Int, layers: [RepDefLayer]) -> Bool {
        guard let definition else { return false }
        let visible = UInt16(layers.maxVisibleDefinition)
        return definition.withValues(of: UInt16.self) { levels in
            var seen = 0
            for level in levels.prefix(entryCount) where level <= visible {
                if seen == slot { return level > 0 }
                seen += 1
            }
            return false
        }
    }
}

/// Decodes `count` levels of one buffer to 16-bit words.
func decodeLevels(_ bytes: ArrowBuffer, _ decoder: ValueDecoder, _ count: Int) throws(LanceError) -> ArrowBuffer {
    // Unpacking writes whole blocks of 1024.
    let output = OutputBuffer(capacity: max(min(count, 1 << 16), 1024) * 2)
    try bytes.withUnsafeBytes { (raw) throws(LanceError) in
        try decoder.decodeBlock(raw, count: count, into: .fixed(output, width: 2))
    }
    guard output.count == count * 2 else { throw .corrupt("\(output.count / 2) levels instead of \(count)") }
    return output.finish()
}
