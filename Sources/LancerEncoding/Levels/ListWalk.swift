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
        _ repetition: [UInt16],
        _ definition: [UInt16]?,
        _ bits: BitmapWriter,
        _ keep: KeptLevels?
    ) -> ArrowBuffer {
        let storage = BufferStorage(capacity: (repetition.count + 1) * MemoryLayout<Offset>.size)
        let offsets = storage.base.assumingMemoryBound(to: Offset.self)
        var lists = 0
        var nulls = 0
        var children = 0
        var kept = 0
        // Everything is stored for every entry and counted where it holds: which entries start a list is as good as
        // random, and a wrong guess of a branch costs more than ten entries.
        repetition.withUnsafeBufferPointer { repetition in
            guard let definition else {
                for index in 0..<repetition.count {
                    let level = repetition[index]
                    let isStart = level >= starts ? 1 : 0
                    offsets[lists] = Offset(truncatingIfNeeded: index)
                    lists &+= isStart
                    keep?.store(level, 0, at: kept)
                    kept &+= isStart
                }
                children = repetition.count
                if nullLevel != nil { bits.setAll(lists) }
                return
            }
            definition.withUnsafeBufferPointer { definition in
                for index in 0..<repetition.count {
                    let level = definition[index]
                    let isStart = repetition[index] >= starts ? 1 : 0
                    keep?.store(repetition[index], level, at: kept)
                    kept &+= isStart
                    let isList = level <= limit ? isStart : 0
                    offsets[lists] = Offset(truncatingIfNeeded: children)
                    if let nullLevel {
                        // A list inside a null struct is null itself where the layer can say so, else empty.
                        let isNull = level == nullLevel || level > ownEnd ? isList : 0
                        bits.set(lists, isList &- isNull)
                        nulls &+= isNull
                    }
                    lists &+= isList
                    children &+= level <= childLimit ? 1 : 0
                }
            }
        }
        offsets[lists] = Offset(truncatingIfNeeded: children)
        (self.lists, self.nulls, self.children, self.kept) = (lists, nulls, children, kept)
        return ArrowBuffer(storage: storage, offset: 0, count: (lists + 1) * MemoryLayout<Offset>.size)
    }
}

/// A zeroed bitmap being written.
struct BitmapWriter {
    private let storage: BufferStorage
    private let byteCount: Int

    init(count: Int) {
        byteCount = (count + 7) / 8
        storage = BufferStorage(capacity: byteCount)
        storage.base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    /// Sets a bit, which must be inside, if `bit` is 1.
    @inline(__always)
    func set(_ index: Int, _ bit: Int) {
        let byte = storage.base.assumingMemoryBound(to: UInt8.self) + index >> 3
        byte.pointee |= UInt8(truncatingIfNeeded: bit) &<< UInt8(truncatingIfNeeded: index & 7)
    }

    /// Sets the first `count` bits.
    func setAll(_ count: Int) {
        storage.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: count / 8)
        for index in (count & ~7)..<count { set(index, 1) }
    }

    /// The bits; the writer must not be used afterwards.
    var buffer: ArrowBuffer { ArrowBuffer(storage: storage, offset: 0, count: byteCount) }
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

    func takeRepetition(_ count: Int) -> [UInt16] { Self.array(repetition, count) }

    func takeDefinition(_ count: Int) -> [UInt16]? { definition.map { Self.array($0, count) } }

    private static func array(_ storage: BufferStorage, _ count: Int) -> [UInt16] {
        Array(UnsafeBufferPointer(start: storage.base.assumingMemoryBound(to: UInt16.self), count: count))
    }
}
