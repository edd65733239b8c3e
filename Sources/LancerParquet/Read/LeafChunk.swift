import LancerBytes

/// Some rows of one column: levels, and the values that are there.
struct LeafChunk {
    var rows: Int
    /// Entries of the levels.
    var count: Int
    /// One byte an entry; nil where all are at the column's maximum, and none is repeated.
    var definitions: ArrowBuffer?
    /// One byte an entry; nil where all are zero.
    var repetitions: ArrowBuffer?
    var values: PhysicalValues

    /// Cuts the first `rows` rows off.
    mutating func take(_ rows: Int, maximumDefinition: Int) -> LeafChunk {
        if rows == self.rows {
            let all = self
            self = LeafChunk(rows: 0, count: 0, definitions: nil, repetitions: nil, values: values.slice(0..<0))
            return all
        }
        var entries = rows
        if let repetitions {
            entries = repetitions.withUnsafeBytes { bytes in
                var started = 0
                for index in 0..<bytes.count where bytes[index] == 0 {
                    if started == rows { return index }
                    started += 1
                }
                return bytes.count
            }
        }
        var present = entries
        if let definitions {
            present = LevelBytes.count(definitions.start, entries, atLeast: UInt8(maximumDefinition))
        }
        let first = LeafChunk(
            rows: rows,
            count: entries,
            definitions: definitions?.slice(0..<entries),
            repetitions: repetitions?.slice(0..<entries),
            values: values.slice(0..<present)
        )
        self.rows -= rows
        definitions = definitions?.slice(entries..<count)
        repetitions = repetitions?.slice(entries..<count)
        values = values.slice(present..<values.count)
        count -= entries
        return first
    }
}

/// Definition levels of a batch, kept only when they say something.
struct LevelCollector: ~Copyable {
    private let maximum: Int
    /// Whether all levels are kept: those of lists are needed beside the repetition levels.
    private let isNested: Bool
    private var levels = BufferBuilder()
    private var isKept: Bool
    private(set) var count = 0

    init(maximum: Int, isNested: Bool) {
        self.maximum = maximum
        self.isNested = isNested
        isKept = isNested
    }

    /// Adds the levels of `entries` entries and returns how many of those have a value.
    mutating func append(_ new: UnsafePointer<UInt8>, _ entries: Int) -> Int {
        defer { count += entries }
        guard maximum > 0 else { return entries }
        let present = LevelBytes.count(new, entries, atLeast: UInt8(maximum))
        if !isKept {
            if present == entries { return present }
            isKept = true
            levels.append(UInt8(maximum), repeated: count)
        }
        levels.append(UnsafeRawBufferPointer(start: new, count: entries))
        return present
    }

    consuming func finish() -> ArrowBuffer? { isKept && maximum > 0 ? levels.finish() : nil }
}
