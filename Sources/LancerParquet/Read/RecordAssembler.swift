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
        var bits = BitmapBuilder(capacity: chunk.count)
        let wanted = UInt8(definition)
        let least = UInt8(slots.definition)
        let highest = UInt8(slots.repetition)
        for index in 0..<chunk.count {
            let level = definitions.start.load(fromByteOffset: index, as: UInt8.self)
            if level < least { continue }
            if let repetitions = chunk.repetitions,
                repetitions.start.load(fromByteOffset: index, as: UInt8.self) > highest
            {
                continue
            }
            bits.append(level >= wanted)
        }
        let bitmap = bits.finish()
        return bitmap.setCount == bitmap.count ? nil : bitmap
    }

    private func leafArray(_ leaf: LeafColumn, _ slots: Slots) throws(LanceError) -> ArrowArray {
        let chunk = try chunk(leaf)
        var length = chunk.count
        if slots.definition > 0, let definitions = chunk.definitions {
            length = 0
            let least = UInt8(slots.definition)
            definitions.withUnsafeBytes { for byte in $0 { length &+= byte >= least ? 1 : 0 } }
        }
        if leaf.type == .null { return ArrowArray(type: .null, length: length, storage: .null) }
        let values = try LeafConversion(leaf).array(chunk.values)
        guard values.length < length, let definitions = chunk.definitions else {
            guard values.length == length else { throw .corrupt("a Parquet column with more values than levels") }
            return values
        }
        var bits = BitmapBuilder(capacity: length)
        let maximum = UInt8(leaf.maximumDefinition)
        let least = UInt8(slots.definition)
        definitions.withUnsafeBytes { bytes in
            for byte in bytes where byte >= least { bits.append(byte == maximum) }
        }
        return try values.spread(bits.finish())
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
        var offsets: [Int] = []
        offsets.reserveCapacity(min(chunk.count, 1 << 16) + 1)
        var bits = BitmapBuilder(capacity: 64)
        var items = 0
        var nulls = 0
        definitions.withUnsafeBytes { definitions in
            repetitions.withUnsafeBytes { repetitions in
                for index in 0..<chunk.count {
                    let level = Int(definitions[index])
                    let repetition = Int(repetitions[index])
                    if level >= slots.definition, repetition <= slots.repetition {
                        offsets.append(items)
                        bits.append(level >= definition)
                        nulls &+= level >= definition ? 0 : 1
                    }
                    if level >= itemSlots.definition, repetition <= itemSlots.repetition { items &+= 1 }
                }
            }
        }
        let length = offsets.count
        offsets.append(items)
        let validity = nulls == 0 || !field.nullable ? nil : bits.finish()
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
            return try listArray(field.type, offsets, validity, child.retyped(entries.type))
        case .list(let itemField), .largeList(let itemField):
            return try listArray(field.type, offsets, validity, child.retyped(itemField.type))
        default: throw .corrupt("a Parquet list as \(field.type)")
        }
    }

    private func listArray(
        _ type: ArrowType,
        _ offsets: [Int],
        _ validity: Bitmap?,
        _ child: ArrowArray
    ) throws(LanceError) -> ArrowArray {
        let buffer: ArrowBuffer
        if type.offsetWidth == 8 {
            buffer = ArrowBuffer(offsets)
        } else {
            guard (offsets.last ?? 0) <= Int(Int32.max) else {
                throw .limitExceeded("a list column of more than 2^31 items in one batch")
            }
            buffer = ArrowBuffer(offsets.map { Int32(truncatingIfNeeded: $0) })
        }
        return ArrowArray(
            type: type,
            length: offsets.count - 1,
            validity: validity,
            storage: .list(offsets: buffer, child: child)
        )
    }

    /// The items of vectors: null ones, of which Parquet stores nothing, get their places.
    private static func fitted(
        _ child: ArrowArray,
        _ offsets: [Int],
        _ validity: Bitmap?,
        size: Int
    ) throws(LanceError) -> ArrowArray {
        let length = offsets.count - 1
        var indices: [Int] = []
        let hasNulls = validity != nil
        if hasNulls { indices.reserveCapacity(min(length, child.length) * size) }
        for index in 0..<length {
            let count = offsets[index + 1] - offsets[index]
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
                if hasNulls { indices.append(contentsOf: offsets[index]..<offsets[index + 1]) }
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

    /// The values of an array without nulls at the set bits, in order; nulls between.
    fileprivate func spread(_ bits: Bitmap) throws(LanceError) -> ArrowArray {
        let count = bits.count
        guard bits.setCount == length else { throw .corrupt("levels of \(bits.setCount) values, \(length) are there") }
        if case .fixedWidth(let values) = storage, let width = type.byteWidth {
            let spread: ArrowBuffer
            switch width {
            case 4: spread = Self.spread(values, bits, UInt32.self)
            case 8: spread = Self.spread(values, bits, UInt64.self)
            default: return try gather(Self.places(bits))
            }
            return ArrowArray(type: type, length: count, validity: bits, storage: .fixedWidth(spread))
        }
        if case .variableWidth(let offsets, let data) = storage, let width = type.offsetWidth {
            let all =
                width == 4
                ? Self.spreadOffsets(offsets, bits, Int32.self) : Self.spreadOffsets(offsets, bits, Int64.self)
            return ArrowArray(
                type: type,
                length: count,
                validity: bits,
                storage: .variableWidth(offsets: all, data: data)
            )
        }
        return try gather(Self.places(bits))
    }

    private static func places(_ bits: Bitmap) -> [Int] {
        var next = 0
        return (0..<bits.count).map { index in
            guard bits[index] else { return -1 }
            next += 1
            return next - 1
        }
    }

    private static func spread<T: BitwiseCopyable & FixedWidthInteger>(
        _ values: ArrowBuffer,
        _ bits: Bitmap,
        _ type: T.Type
    ) -> ArrowBuffer {
        let size = MemoryLayout<T>.size
        return ArrowBuffer(count: bits.count * size) { room in
            guard let target = room.baseAddress else { return }
            bits.buffer.withUnsafeBytes { bytes in
                let reader = BitReader(bytes, offset: bits.bitOffset)
                var next = 0
                for index in 0..<bits.count {
                    var value: T = 0
                    if reader.bit(at: index) {
                        value = values.start.loadUnaligned(fromByteOffset: next &* size, as: T.self)
                        next &+= 1
                    }
                    target.storeBytes(of: value, toByteOffset: index &* size, as: T.self)
                }
            }
        }
    }

    private static func spreadOffsets<T: BitwiseCopyable & FixedWidthInteger>(
        _ offsets: ArrowBuffer,
        _ bits: Bitmap,
        _ type: T.Type
    ) -> ArrowBuffer {
        let size = MemoryLayout<T>.size
        return ArrowBuffer(count: (bits.count + 1) * size) { room in
            guard let target = room.baseAddress else { return }
            bits.buffer.withUnsafeBytes { bytes in
                let reader = BitReader(bytes, offset: bits.bitOffset)
                var next = 0
                for index in 0...bits.count {
                    let value = offsets.start.loadUnaligned(fromByteOffset: next &* size, as: T.self)
                    target.storeBytes(of: value, toByteOffset: index &* size, as: T.self)
                    if index < bits.count, reader.bit(at: index) { next &+= 1 }
                }
            }
        }
    }
}
