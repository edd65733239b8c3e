import LancerArrow
import LancerBytes

/// The loop over level entries that turns one list layer into offsets and validity.
/// Spec: 02-levels.md, "Rebuilding columns".
struct ListWalk {
    /// An entry with at least this repetition level starts a list here.
    let starts: UInt16
    /// An entry with at most this definition level has a slot in this layer.
    let limit: UInt16
    /// An entry with at most this definition level has a slot in the child.
    let childLimit: UInt16
    /// The level of a null list; nil when the layer has none.
    let nullLevel: UInt16?
    /// The last level of this layer's own.
    let ownEnd: UInt16

    /// Lists found.
    private(set) var lists = 0
    /// Of them, nulls.
    private(set) var nulls = 0
    /// Child slots found.
    private(set) var children = 0
    /// Entries that layers further out need.
    private(set) var kept = 0

    init(starts: UInt16, limit: UInt16, childLimit: UInt16, nullLevel: UInt16?, ownEnd: UInt16) {
        self.starts = starts
        self.limit = limit
        self.childLimit = childLimit
        self.nullLevel = nullLevel
        self.ownEnd = ownEnd
    }

    /// Walks all entries; returns the offsets, one more than lists.
    mutating func run<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ type: Offset.Type,
        _ repetition: LevelValues,
        _ definition: LevelValues?,
        _ bits: BitmapWriter,
        _ keep: KeptLevels?
    ) -> ArrowBuffer {
        let storage = BufferStorage(capacity: (repetition.count + 1) * MemoryLayout<Offset>.size)
        let offsets = storage.base.assumingMemoryBound(to: Offset.self)
        repetition.withValues { repetition in
            guard let definition else { return runWithoutDefinition(repetition, offsets, bits, keep) }
            definition.withValues { definition in
                if let keep {
                    run(repetition, definition, offsets, bits) { keep.store(repetition[$0], definition[$0], at: $1) }
                } else {
                    run(repetition, definition, offsets, bits) { _, _ in }
                }
            }
        }
        offsets[lists] = Offset(truncatingIfNeeded: children)
        return ArrowBuffer(storage: storage, offset: 0, count: (lists + 1) * MemoryLayout<Offset>.size)
    }

    private mutating func runWithoutDefinition<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ repetition: UnsafeBufferPointer<UInt16>,
        _ offsets: UnsafeMutablePointer<Offset>,
        _ bits: BitmapWriter,
        _ keep: KeptLevels?
    ) {
        var lists = 0
        for index in 0..<repetition.count {
            let isStart = repetition[index] >= starts ? 1 : 0
            offsets[lists] = Offset(truncatingIfNeeded: index)
            keep?.store(repetition[index], 0, at: lists)
            lists &+= isStart
        }
        if nullLevel != nil { bits.setAll(lists) }
        (self.lists, self.kept, self.children) = (lists, lists, repetition.count)
    }

    /// Everything is stored for every entry and counted where it holds: which entries start a list is as good as random,
    /// and a wrong guess of a branch costs more than ten entries.
    @inline(__always)
    private mutating func run<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ repetition: UnsafeBufferPointer<UInt16>,
        _ definition: UnsafeBufferPointer<UInt16>,
        _ offsets: UnsafeMutablePointer<Offset>,
        _ bits: BitmapWriter,
        _ keep: (_ entry: Int, _ place: Int) -> Void
    ) {
        var lists = 0
        var nulls = 0
        var children = 0
        var kept = 0
        // Validity of the lists of the word of the bitmap at hand. Read back from memory for each entry, it would be
        // waited for each time: that was a third of a scan of lists.
        var word: UInt64 = 0
        // A list inside a null struct is null itself where the layer can say so, else empty.
        let hasNulls = nullLevel != nil
        let nullLevel = nullLevel ?? 0
        for index in 0..<repetition.count {
            let level = definition[index]
            let isStart = repetition[index] >= starts ? 1 : 0
            keep(index, kept)
            kept &+= isStart
            let isList = level <= limit ? isStart : 0
            offsets[lists] = Offset(truncatingIfNeeded: children)
            let before = lists
            lists &+= isList
            if hasNulls {
                let isNull = level == nullLevel || level > ownEnd ? isList : 0
                word |= UInt64(truncatingIfNeeded: isList &- isNull) &<< UInt64(truncatingIfNeeded: before & 63)
                bits.store(word, before &>> 6)
                // All ones unless the next list belongs to another word.
                word &= UInt64(truncatingIfNeeded: ((before ^ lists) &>> 6 & 1) &- 1)
                nulls &+= isNull
            }
            children &+= level <= childLimit ? 1 : 0
        }
        (self.lists, self.nulls, self.children, self.kept) = (lists, nulls, children, kept)
    }
}

/// A bitmap being written, word by word.
struct BitmapWriter {
    private let storage: BufferStorage

    /// - Parameter count: Most bits; whole words are there for them, and one more.
    init(count: Int) { storage = BufferStorage(capacity: (count / 64 + 1) * 8) }

    /// Writes 64 bits, least significant first.
    @inline(__always)
    func store(_ word: UInt64, _ number: Int) {
        storage.base.storeBytes(of: word.littleEndian, toByteOffset: number &* 8, as: UInt64.self)
    }

    /// Sets the first `count` bits.
    func setAll(_ count: Int) {
        for number in 0...(count / 64) { store(.max, number) }
    }

    /// The first `count` bits; the writer must not be used afterwards.
    func bitmap(count: Int) -> Bitmap {
        Bitmap(ArrowBuffer(storage: storage, offset: 0, count: (count + 7) / 8), count: count)
    }
}

/// Levels of the entries that layers further out need.
struct KeptLevels {
    private let repetition: BufferStorage
    private let definition: BufferStorage?

    init(capacity: Int, hasDefinition: Bool) {
        repetition = BufferStorage(capacity: capacity * 2)
        definition = hasDefinition ? BufferStorage(capacity: capacity * 2) : nil
    }

    @inline(__always)
    func store(_ repetitionLevel: UInt16, _ definitionLevel: UInt16, at index: Int) {
        repetition.base.storeBytes(of: repetitionLevel, toByteOffset: index &* 2, as: UInt16.self)
        definition?.base.storeBytes(of: definitionLevel, toByteOffset: index &* 2, as: UInt16.self)
    }

    func takeRepetition(_ count: Int) -> LevelValues { Self.values(repetition, count) }

    func takeDefinition(_ count: Int) -> LevelValues? { definition.map { Self.values($0, count) } }

    private static func values(_ storage: BufferStorage, _ count: Int) -> LevelValues {
        LevelValues(ArrowBuffer(storage: storage, offset: 0, count: count * 2), count: count)
    }
}

/// Levels of entries, in memory shared with whoever decoded them.
struct LevelValues {
    private let buffer: ArrowBuffer
    let count: Int

    /// - Parameter buffer: At least `count` 16-bit levels.
    init(_ buffer: ArrowBuffer, count: Int) {
        precondition(buffer.count >= count * 2)
        self.buffer = buffer
        self.count = count
    }

    func withValues<R, E: Error>(_ body: (UnsafeBufferPointer<UInt16>) throws(E) -> R) throws(E) -> R {
        try buffer.withValues(of: UInt16.self) { (values) throws(E) in
            try body(UnsafeBufferPointer(rebasing: values[0..<count]))
        }
    }

    subscript(index: Int) -> UInt16 { withValues { $0[index] } }
}
