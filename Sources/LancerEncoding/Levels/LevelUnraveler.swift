import LancerArrow
import LancerBytes

/// Turns the levels of a leaf column back into validity bitmaps and list offsets, layer by layer from the inside.
///
/// Each step consumes one layer and leaves the entries that the next layer out needs. An entry has a slot in a layer
/// when it starts an item there (its repetition level is at least the number of lists passed so far) and no list
/// further out is null or empty at it. Spec: 02-levels.md, "Rebuilding columns".
package struct LevelUnraveler {
    private let layers: [RepDefLayer]
    /// The next layer to consume.
    private var layer = 0
    /// Definition levels used by the layers consumed.
    private var base: UInt16 = 0
    private var repetition: LevelValues?
    private var definition: LevelValues?
    private var entryCount: Int
    /// List layers consumed.
    private var listsPassed: UInt16 = 0

    package init(_ levels: Levels) {
        layers = levels.layers
        repetition = levels.repetition.map { LevelValues($0, count: levels.count) }
        definition = levels.definition.map { LevelValues($0, count: levels.count) }
        entryCount = levels.count
    }

    /// Whether all layers were consumed.
    package var isDone: Bool { layer == layers.count }

    /// Number of rows left when every list was consumed.
    package var slotCount: Int { entryCount }

    private func nextLayer(isList: Bool) throws(LanceError) -> RepDefLayer {
        guard layer < layers.count, layers[layer].isList == isList else {
            throw .corrupt("the layers of a page (\(layers)) do not fit the column's nesting")
        }
        return layers[layer]
    }

    /// The highest definition level with which an entry still has a slot in the layer at hand: its own levels and those
    /// of the layers further out up to the next list.
    private func threshold() -> UInt16 {
        var level = base
        for (index, layer) in layers.enumerated().dropFirst(layer) {
            if index > self.layer, layer.isList { break }
            level += UInt16(layer.definitionLevelCount)
        }
        return level
    }

    private mutating func pass(_ consumed: RepDefLayer) {
        base += UInt16(consumed.definitionLevelCount)
        layer += 1
    }

    /// Consumes an item layer: the validity of a leaf or struct.
    ///
    /// - Parameter count: number of values the caller has; must be the number of slots.
    /// - Returns: nil when all are valid.
    package mutating func itemValidity(count: Int) throws(LanceError) -> Bitmap? {
        let consumed = try nextLayer(isList: false)
        let limit = threshold()
        defer { pass(consumed) }
        guard let definition else {
            guard entryCount == count else { throw Self.miscount(entryCount, count) }
            return nil
        }
        // Slots of a layer behind lists may be fewer than entries; those of a flat column are all of them.
        let level = base
        if consumed.definitionLevelCount == 0 {
            var slots = 0
            definition.withValues { for value in $0 where value <= limit { slots += 1 } }
            guard slots == count else { throw Self.miscount(slots, count) }
            return nil
        }
        if entryCount == count, let (bits, nulls) = Self.validity(of: definition, level: level, limit: limit) {
            return nulls == 0 ? nil : Bitmap(bits, count: count)
        }
        let bits = ArrowBuffer(zeroed: (count + 7) / 8)
        var slots = 0
        var nulls = 0
        bits.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            // Safe: the buffer was allocated above and nobody else has it.
            let target = UnsafeMutableRawPointer(mutating: start).assumingMemoryBound(to: UInt8.self)
            var byte: UInt8 = 0
            definition.withValues { definition in
                for value in definition where value <= limit {
                    if value <= level { byte |= 1 << UInt8(slots & 7) } else { nulls += 1 }
                    slots += 1
                    if slots & 7 == 0 {
                        if slots <= count { target[slots / 8 - 1] = byte }
                        byte = 0
                    }
                }
            }
            if slots & 7 != 0, slots <= count { target[slots / 8] = byte }
        }
        guard slots == count else { throw Self.miscount(slots, count) }
        return nulls == 0 ? nil : Bitmap(bits, count: count)
    }

    /// Validity of entries that all have a slot, eight at a time, and the number of nulls; nil when one has none.
    private static func validity(
        of definition: LevelValues,
        level: UInt16,
        limit: UInt16
    ) -> (bits: ArrowBuffer, nulls: Int)? {
        let count = definition.count
        let limits = SIMD8(repeating: limit)
        let levels = SIMD8(repeating: level)
        // Brings the lowest bits of four 16-bit words together at bits 48 to 51.
        let gather: UInt64 = 1 << 48 | 1 << 33 | 1 << 18 | 1 << 3
        var nulls = 0
        var beyond = SIMD8<UInt16>.zero
        let bits = ArrowBuffer(count: (count + 7) / 8) { target in
            definition.withValues { definition in
                let source = UnsafeRawBufferPointer(definition)
                var index = 0
                while count - index >= 8 {
                    let some = source.loadUnaligned(fromByteOffset: index &* 2, as: SIMD8<UInt16>.self)
                    beyond.replace(with: 1, where: some .> limits)
                    let isValid = SIMD8<UInt16>.zero.replacing(with: 1, where: some .<= levels)
                    let halves = unsafeBitCast(isValid, to: SIMD2<UInt64>.self)
                    let low = (halves[0] &* gather) &>> 48 & 15
                    let high = (halves[1] &* gather) &>> 48 & 15
                    let byte = UInt8(truncatingIfNeeded: low | high &<< 4)
                    nulls &+= 8 &- byte.nonzeroBitCount
                    target[index >> 3] = byte
                    index &+= 8
                }
                if index == count { return }
                var byte: UInt8 = 0
                for place in 0..<(count - index) {
                    let value = source.loadUnaligned(fromByteOffset: (index + place) * 2, as: UInt16.self)
                    if value > limit { beyond[0] = 1 }
                    if value <= level { byte |= 1 << UInt8(place) } else { nulls += 1 }
                }
                target[index >> 3] = byte
            }
        }
        return beyond == .zero ? (bits, nulls) : nil
    }

    /// Consumes a list layer.
    ///
    /// - Parameter childCount: number of child items the caller has; must be what the lists add up to.
    /// - Returns: the offsets (`width` bytes each), the validity (nil when all are valid) and the number of lists.
    package mutating func listOffsets(
        width: Int,
        childCount: Int
    ) throws(LanceError) -> (offsets: ArrowBuffer, validity: Bitmap?, count: Int) {
        let consumed = try nextLayer(isList: true)
        guard let repetition else { throw .corrupt("a list column without repetition levels") }
        let limit = threshold()
        let childLimit = base
        let ownEnd = base + UInt16(consumed.definitionLevelCount)
        let hasNulls = consumed == .nullableList || consumed == .nullAndEmptyList
        let nullLevel = base + 1
        let starts = listsPassed + 1
        let isLast = layer == layers.count - 1
        let kept = KeptLevels(capacity: isLast ? 0 : entryCount, hasDefinition: definition != nil)
        var walk = ListWalk(
            starts: starts,
            limit: limit,
            childLimit: childLimit,
            nullLevel: hasNulls ? nullLevel : nil,
            ownEnd: ownEnd
        )
        if repetition.count > 0, repetition[0] < starts {
            throw .corrupt("a row starts with repetition level \(repetition[0])")
        }
        let offsets: ArrowBuffer
        let bits = BitmapWriter(count: hasNulls ? entryCount : 0)
        if width == 4 {
            offsets = walk.run(Int32.self, repetition, definition, bits, isLast ? nil : kept)
        } else {
            offsets = walk.run(Int64.self, repetition, definition, bits, isLast ? nil : kept)
        }
        guard walk.children == childCount else { throw Self.miscount(walk.children, childCount) }
        guard width == 8 || childCount <= Int(Int32.max) else {
            throw .limitExceeded("more than 2^31 list items in one batch; read fewer rows at a time")
        }
        let validity = walk.nulls == 0 ? nil : bits.bitmap(count: walk.lists)
        self.repetition = isLast ? nil : kept.takeRepetition(walk.kept)
        if definition != nil { definition = isLast ? nil : kept.takeDefinition(walk.kept) }
        entryCount = isLast ? walk.lists : walk.kept
        listsPassed = starts
        pass(consumed)
        return (offsets, validity, walk.lists)
    }

    /// Consumes the item layer of a fixed-size list of structs, whose inner levels were repeated for each child slot.
    ///
    /// - Parameter childCount: number of child structs the caller has; must be `dimension` for each list.
    /// - Returns: the validity (nil when all are valid) and the number of lists.
    package mutating func fixedSizeListValidity(
        dimension: Int,
        childCount: Int
    ) throws(LanceError) -> (validity: Bitmap?, count: Int) {
        guard listsPassed == 0, !layers.dropFirst(layer).contains(where: \.isList) else {
            throw .unsupported("lists around or inside a fixed-size list of structs")
        }
        guard dimension > 0, entryCount % dimension == 0, childCount == entryCount else {
            throw Self.miscount(entryCount, childCount)
        }
        let count = entryCount / dimension
        if let definition {
            let firsts = definition.withValues { levels in
                stride(from: 0, to: entryCount, by: dimension).map { levels[$0] }
            }
            self.definition = LevelValues(ArrowBuffer(firsts), count: firsts.count)
        }
        entryCount = count
        return (try itemValidity(count: count), count)
    }

    @inline(never)
    private static func miscount(_ slots: Int, _ values: Int) -> LanceError {
        .corrupt("levels speak of \(slots) values, \(values) were decoded")
    }
}
