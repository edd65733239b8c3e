import LancerArrow
import LancerBytes

/// Puts columns together into nested arrays.
///
/// Spec: Parquet, Nested Encoding. Below some repeated ancestors, an entry of a column stands for a value (or a null) of
/// a node when its repetition level is not above the number of those ancestors and its definition level reaches the
/// innermost one's item.
struct RecordAssembler {
    private let chunks: [Int: LeafChunk]

    /// - Parameter chunks: The same rows of every column needed, by the leaf's index.
    init(_ chunks: [Int: LeafChunk]) { self.chunks = chunks }

    /// The array of a column of the table.
    func column(_ node: ColumnNode) throws(LanceError) -> ArrowArray {
        do throws(LanceError) {
            return try array(node, Slots(repetition: 0, definition: 0))
        } catch {
            throw error.located(part: "column \"\(node.field.name)\"")
        }
    }

    /// Which entries stand for values of a node.
    private struct Slots {
        var repetition: Int
        var definition: Int

        var selection: LevelBytes.Selection {
            LevelBytes.Selection(definition: UInt8(definition), repetition: UInt8(repetition))
        }
    }

    private func array(_ node: ColumnNode, _ slots: Slots) throws(LanceError) -> ArrowArray {
        switch node {
        case .leaf(_, let leaf): return try leafArray(leaf, slots)
        case .structure(let field, let definition, let members):
            var children: [ArrowArray] = []
            for member in members { children.append(try array(member, slots)) }
            let length = children[0].length
            guard children.allSatisfy({ $0.length == length }) else {
                throw .corrupt("the members of a Parquet group have different numbers of values")
            }
            let validity = field.nullable ? try self.validity(of: node, definition, slots) : nil
            return ArrowArray(type: field.type, length: length, validity: validity, storage: .structure(children))
        case .list(let field, let definition, let itemDefinition, let repetition, let item):
            return try list(
                node,
                field,
                definition: definition,
                item,
                Slots(repetition: repetition, definition: itemDefinition),
                slots
            )
        }
    }

    private func chunk(_ leaf: LeafColumn) throws(LanceError) -> LeafChunk {
        guard let chunk = chunks[leaf.index] else { throw .corrupt("Parquet column \"\(leaf.path)\" was not read") }
        return chunk
    }

    /// Which slots of a node are not null; nil when all are.
    private func validity(of node: ColumnNode, _ definition: Int, _ slots: Slots) throws(LanceError) -> Bitmap? {
        let chunk = try chunk(node.firstLeaf)
        guard definition > slots.definition, let definitions = chunk.definitions else { return nil }
        defer { withExtendedLifetime(chunk) {} }
        // Nothing between the two levels: nothing is null.
        let present = LevelBytes.count(definitions.start, chunk.count, atLeast: UInt8(slots.definition))
        if LevelBytes.count(definitions.start, chunk.count, atLeast: UInt8(definition)) == present { return nil }
        let (bits, set) = LevelBytes.bits(
            definitions.start,
            chunk.repetitions?.start,
            chunk.count,
            slots.selection,
            atLeast: UInt8(definition)
        )
        return set == bits.count ? nil : bits
    }

    private func leafArray(_ leaf: LeafColumn, _ slots: Slots) throws(LanceError) -> ArrowArray {
        let chunk = try chunk(leaf)
        var length = chunk.count
        if slots.definition > 0, let definitions = chunk.definitions {
            length = LevelBytes.count(definitions.start, chunk.count, atLeast: UInt8(slots.definition))
            withExtendedLifetime(definitions) {}
        }
        if leaf.type == .null { return ArrowArray(type: .null, length: length, storage: .null) }
        let values = try LeafConversion(leaf).array(chunk.values)
        guard values.length < length, let definitions = chunk.definitions else {
            guard values.length == length else { throw .corrupt("a Parquet column with more values than levels") }
            return values
        }
        // Every entry that is deep enough has a value or a null; repetition plays no part at the leaf.
        let (bits, set) = LevelBytes.bits(
            definitions.start,
            nil,
            chunk.count,
            LevelBytes.Selection(definition: UInt8(slots.definition), repetition: .max),
            atLeast: UInt8(leaf.maximumDefinition)
        )
        withExtendedLifetime(definitions) {}
        guard set == values.length else { throw .corrupt("levels of \(set) values, \(values.length) are there") }
        return try values.spread(bits)
    }

    private func list(
        _ node: ColumnNode,
        _ field: ArrowField,
        definition: Int,
        _ item: ColumnNode,
        _ itemSlots: Slots,
        _ slots: Slots
    ) throws(LanceError) -> ArrowArray {
        let chunk = try chunk(node.firstLeaf)
        guard let definitions = chunk.definitions, let repetitions = chunk.repetitions else {
            throw .corrupt("a Parquet list without levels")
        }
        let length = LevelBytes.count(definitions.start, repetitions.start, chunk.count, slots.selection)
        let isWide = field.type.offsetWidth == 8
        var items = 0
        let offsets =
            isWide
            ? Self.offsets(chunk.count, definitions, repetitions, length, slots, itemSlots, Int64.self, &items)
            : Self.offsets(chunk.count, definitions, repetitions, length, slots, itemSlots, Int32.self, &items)
        guard isWide || items <= Int(Int32.max) else {
            throw .limitExceeded("a list column of more than 2^31 items in one batch")
        }
        let validity = field.nullable ? try validity(of: node, definition, slots) : nil
        let child = try array(item, itemSlots)
        guard child.length == items else { throw .corrupt("the members of a Parquet list have different lengths") }
        switch field.type {
        case .fixedSizeList(let itemField, let size):
            let fitted = try Self.fitted(child.retyped(itemField.type), offsets, validity, size: size)
            return ArrowArray(
                type: field.type,
                length: length,
                validity: validity,
                storage: .fixedSizeList(child: fitted)
            )
        case .map(let entries, _):
            if case .structure(let members) = child.storage, let keys = members.first, keys.nullCount > 0 {
                throw .corrupt("a Parquet map with a null key, which Arrow's maps cannot have")
            }
            return ArrowArray(
                type: field.type,
                length: length,
                validity: validity,
                storage: .list(offsets: offsets, child: child.retyped(entries.type))
            )
        case .list(let itemField), .largeList(let itemField):
            return ArrowArray(
                type: field.type,
                length: length,
                validity: validity,
                storage: .list(offsets: offsets, child: child.retyped(itemField.type))
            )
        default: throw .corrupt("a Parquet list as \(field.type)")
        }
    }

    /// Where the items of each list start, and the end.
    private static func offsets<T: FixedWidthInteger & BitwiseCopyable>(
        _ count: Int,
        _ definitions: ArrowBuffer,
        _ repetitions: ArrowBuffer,
        _ length: Int,
        _ slots: Slots,
        _ itemSlots: Slots,
        _ type: T.Type,
        _ items: inout Int
    ) -> ArrowBuffer {
        let size = MemoryLayout<T>.size
        let (definition, itemDefinition) = (UInt8(slots.definition), UInt8(itemSlots.definition))
        let (repetition, itemRepetition) = (UInt8(slots.repetition), UInt8(itemSlots.repetition))
        return ArrowBuffer(count: (length + 1) * size) { room in
            guard let target = room.baseAddress else { return }
            var total = 0
            // Every entry writes where the next list starts; only one that is a list moves on from there.
            var place = 0
            for index in 0..<count {
                let level = definitions.start.load(fromByteOffset: index, as: UInt8.self)
                let repeated = repetitions.start.load(fromByteOffset: index, as: UInt8.self)
                target.storeBytes(of: T(truncatingIfNeeded: total), toByteOffset: place, as: T.self)
                place &+= (level >= definition ? size : 0) & (repeated <= repetition ? size : 0)
                total &+= (level >= itemDefinition ? 1 : 0) & (repeated <= itemRepetition ? 1 : 0)
            }
            target.storeBytes(of: T(truncatingIfNeeded: total), toByteOffset: place, as: T.self)
            items = total
        }
    }

    /// The items of vectors: null ones, of which Parquet stores nothing, get their places.
    private static func fitted(
        _ child: ArrowArray,
        _ offsets: ArrowBuffer,
        _ validity: Bitmap?,
        size: Int
    ) throws(LanceError) -> ArrowArray {
        let length = offsets.count / 4 - 1
        func start(_ index: Int) -> Int { offsets.offset(at: index, width: 4) }
        var indices: [Int] = []
        let hasNulls = validity != nil
        if hasNulls { indices.reserveCapacity(min(length, child.length) * size) }
        for index in 0..<length {
            let count = start(index + 1) - start(index)
            if let validity, !validity[index] {
                guard count == 0 else { throw .corrupt("a null list with items") }
                guard size <= (1 << 24) - indices.count else {
                    throw .limitExceeded("null vectors of more than 2^24 values")
                }
                indices.append(contentsOf: repeatElement(-1, count: size))
            } else {
                guard count == size else {
                    throw .corrupt("a list of \(count) items where ARROW:schema says that all have \(size)")
                }
                if hasNulls { indices.append(contentsOf: start(index)..<start(index + 1)) }
            }
        }
        return hasNulls ? try child.gather(indices) : child
    }
}

extension ArrowArray {
    /// The same values under a type that differs in names only.
    fileprivate func retyped(_ type: ArrowType) -> ArrowArray {
        ArrowArray(type: type, length: length, validity: validity, storage: storage)
    }
}
