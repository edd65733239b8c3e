import LancerArrow
import LancerBytes

extension LeafValues {
    /// Joins the pieces of a leaf. `validity` is the joint validity of the slots, nil when all are valid.
    ///
    /// - Returns: nil when the dictionaries of the pieces together have more values than their index type can count.
    /// - Throws: `unsupported` for types that the format cannot store there, `corrupt` for offsets out of the data.
    package static func join(
        _ pieces: [ArrowArray],
        type: ArrowType,
        validity: Bitmap?
    ) throws(LanceError) -> LeafValues? {
        let count = pieces.reduce(0) { $0 + $1.length }
        switch type {
        case .null: return LeafValues.none(count: count)
        case .structure(let fields) where fields.isEmpty: return LeafValues.none(count: count)
        case .bool: return .bits(joinBits(pieces))
        case .utf8, .binary, .largeUtf8, .largeBinary:
            return .variable(try joinVariable(pieces, offsetWidth: type.offsetWidth ?? 4, validity: validity))
        case .fixedSizeList: return .vectors(try joinVectors(pieces, type, count))
        case .structure(let fields):
            var children: [LeafValues] = []
            for (index, field) in fields.enumerated() {
                var parts: [ArrowArray] = []
                for case .structure(let all) in pieces.map(\.storage) where index < all.count {
                    parts.append(all[index])
                }
                guard !parts.contains(where: { $0.nullCount > 0 }) else {
                    throw .unsupported("nulls in field \"\(field.name)\" of a packed struct")
                }
                guard let child = try join(parts, type: field.type, validity: nil) else { return nil }
                children.append(child)
            }
            return .packed(children)
        case .dictionary(let index, let value, _): return try joinDictionaries(pieces, index, value, validity)
        case .list, .largeList, .map: throw .unsupported("a \(type) inside a packed struct")
        default:
            guard let width = type.byteWidth else { throw .unsupported("values of type \(type)") }
            return .fixed(FixedValues(try joinFixed(pieces, width: width), width: width, count: count))
        }
    }

    private static func joinFixed(_ pieces: [ArrowArray], width: Int) throws(LanceError) -> ArrowBuffer {
        var parts: [ArrowBuffer] = []
        for piece in pieces {
            switch piece.storage {
            case .fixedWidth(let bytes), .dictionary(let bytes, _):
                guard bytes.count >= piece.length * width else {
                    throw .corrupt("\(piece.length) values of \(width) bytes in \(bytes.count) bytes")
                }
                parts.append(bytes.slice(0..<(piece.length * width)))
            default: throw .schemaMismatch("an array of type \(piece.type) has no values buffer")
            }
        }
        if parts.count == 1 { return parts[0].aligned(to: 8) }
        var joined = BufferBuilder(capacity: parts.reduce(0) { $0 + $1.count })
        for part in parts { joined.append(contentsOf: part) }
        return joined.finish()
    }

    private static func joinBits(_ pieces: [ArrowArray]) -> Bitmap {
        var bitmaps: [Bitmap] = []
        for case .boolean(let bits) in pieces.map(\.storage) { bitmaps.append(bits) }
        return Bitmap(joining: bitmaps)
    }

    private static func joinVectors(
        _ pieces: [ArrowArray],
        _ type: ArrowType,
        _ count: Int
    ) throws(LanceError) -> VectorValues {
        var levels: [VectorValues.Level] = []
        var current = pieces
        var currentType = type
        while case .fixedSizeList(let item, let dimension) = currentType {
            guard dimension > 0 else { throw .unsupported("fixed-size lists of dimension \(dimension)") }
            var children: [ArrowArray] = []
            for piece in current {
                guard case .fixedSizeList(let child) = piece.storage, child.length >= piece.length * dimension else {
                    throw .corrupt("a fixed-size list array with too short a child")
                }
                children.append(child.slice(0..<(piece.length * dimension)))
            }
            let hasNulls = children.contains { $0.nullCount > 0 }
            let validity =
                hasNulls
                ? Bitmap(joining: children.map { $0.validity ?? Bitmap(repeating: true, count: $0.length) }) : nil
            levels.append(VectorValues.Level(dimension: dimension, itemValidity: validity))
            current = children
            currentType = item.type
        }
        switch currentType {
        case .bool: return VectorValues(levels: levels, items: .bits(joinBits(current)), count: count)
        case .dictionary, .null: throw .unsupported("fixed-size lists of type \(currentType)")
        default:
            guard let width = currentType.byteWidth else {
                throw .unsupported("fixed-size lists of type \(currentType)")
            }
            let items = FixedValues(
                try joinFixed(current, width: width),
                width: width,
                count: current.reduce(0) { $0 + $1.length }
            )
            return VectorValues(levels: levels, items: .fixed(items), count: count)
        }
    }

    private static func joinDictionaries(
        _ pieces: [ArrowArray],
        _ index: ArrowType,
        _ value: ArrowType,
        _ validity: Bitmap?
    ) throws(LanceError) -> LeafValues? {
        guard let width = index.byteWidth, index.isInteger else { throw .unsupported("dictionary indices of \(index)") }
        let count = pieces.reduce(0) { $0 + $1.length }
        var dictionaries: [ArrowArray] = []
        for case .dictionary(_, let values) in pieces.map(\.storage) { dictionaries.append(values) }
        guard let first = dictionaries.first else { return LeafValues.none(count: count) }
        var indices = try joinFixed(pieces, width: width)
        var items = [first]
        if !dictionaries.allSatisfy({ $0.sharesMemory(with: first) }) {
            let merged = try DictionaryUnion(of: dictionaries, type: value)
            let limit = index.isSignedInteger ? (1 << Swift.min(width * 8 - 1, 62)) : (1 << Swift.min(width * 8, 62))
            guard merged.itemCount <= limit else { return nil }
            items = merged.items
            let lengths = pieces.map(\.length)
            indices = remap(indices, width, lengths, merged.positions)
        }
        let itemCount = items.reduce(0) { $0 + $1.length }
        // A null slot may hold any index; a bad one in a valid slot would make a file that no reader opens.
        indices = try checked(indices, width, count, itemCount, validity)
        guard let joined = try join(items, type: value, validity: items.count == 1 ? items[0].validity : nil) else {
            return nil
        }
        return .dictionary(indices: FixedValues(indices, width: width, count: count), items: joined)
    }

    private static func remap(
        _ indices: ArrowBuffer,
        _ width: Int,
        _ lengths: [Int],
        _ positions: [[Int]]
    ) -> ArrowBuffer {
        ArrowBuffer(count: indices.count) { target in
            var slot = 0
            for (piece, length) in lengths.enumerated() {
                let map = positions[piece]
                for _ in 0..<length {
                    let old = indices.index(at: slot, width: width)
                    store(map.indices.contains(old) ? map[old] : -1, at: slot, width, target)
                    slot += 1
                }
            }
        }
    }

    private static func checked(
        _ indices: ArrowBuffer,
        _ width: Int,
        _ count: Int,
        _ itemCount: Int,
        _ validity: Bitmap?
    ) throws(LanceError) -> ArrowBuffer {
        var outside: [Int] = []
        for slot in 0..<count {
            let index = indices.index(at: slot, width: width)
            if index < 0 || index >= itemCount {
                guard let validity, !validity[slot] else {
                    throw .corrupt("dictionary index \(index) of \(itemCount) values")
                }
                outside.append(slot)
            }
        }
        if outside.isEmpty { return indices }
        return ArrowBuffer(count: indices.count) { target in
            indices.withUnsafeBytes { target.copyMemory(from: $0) }
            for slot in outside { store(0, at: slot, width, target) }
        }
    }

    private static func store(_ value: Int, at slot: Int, _ width: Int, _ target: UnsafeMutableRawBufferPointer) {
        switch width {
        case 1: target[slot] = UInt8(truncatingIfNeeded: value)
        case 2: target.storeBytes(of: UInt16(truncatingIfNeeded: value), toByteOffset: slot * 2, as: UInt16.self)
        case 4: target.storeBytes(of: UInt32(truncatingIfNeeded: value), toByteOffset: slot * 4, as: UInt32.self)
        default: target.storeBytes(of: UInt64(truncatingIfNeeded: value), toByteOffset: slot * 8, as: UInt64.self)
        }
    }

    private static func joinVariable(
        _ pieces: [ArrowArray],
        offsetWidth: Int,
        validity: Bitmap?
    ) throws(LanceError) -> VariableValues {
        var offsets: [Int] = []
        offsets.reserveCapacity(pieces.reduce(1) { $0 + $1.length })
        offsets.append(0)
        var parts: [ArrowBuffer] = []
        var base = 0
        for piece in pieces where piece.length > 0 {
            guard case .variableWidth(let buffer, let data) = piece.storage,
                buffer.count >= (piece.length + 1) * offsetWidth
            else { throw .corrupt("an array of type \(piece.type) with too few offsets") }
            let good =
                offsetWidth == 4
                ? appendOffsets(buffer, Int32.self, piece.length, data.count, base, to: &offsets)
                : appendOffsets(buffer, Int64.self, piece.length, data.count, base, to: &offsets)
            guard good else {
                throw .corrupt("text offsets that run backwards or beyond the \(data.count) bytes of data")
            }
            let range = piece.offsetRange()
            parts.append(data.slice(range))
            base += range.count
        }
        var joined = parts.first ?? .empty
        if parts.count > 1 {
            var builder = BufferBuilder(capacity: base)
            for part in parts { builder.append(contentsOf: part) }
            joined = builder.finish()
        }
        if offsetWidth == 4, joined.count > Int(Int32.max) { throw .limitExceeded("2 GiB of text in one page") }
        let values = VariableValues(offsets: offsets, data: joined, offsetBits: offsetWidth * 8)
        return validity.map { values.emptyingNulls($0) } ?? values
    }

    /// Appends the offsets of a piece moved to `base`; false when they are no offsets.
    private static func appendOffsets<T: FixedWidthInteger & BitwiseCopyable>(
        _ buffer: ArrowBuffer,
        _: T.Type,
        _ length: Int,
        _ dataCount: Int,
        _ base: Int,
        to offsets: inout [Int]
    ) -> Bool {
        buffer.withUnsafeBytes { bytes in
            let first = Int(bytes.loadUnaligned(as: T.self))
            guard first >= 0 else { return false }
            var previous = first
            for index in 1...length {
                let offset = Int(bytes.loadUnaligned(fromByteOffset: index &* MemoryLayout<T>.size, as: T.self))
                guard offset >= previous else { return false }
                offsets.append(offset &- first &+ base)
                previous = offset
            }
            return previous <= dataCount
        }
    }
}

extension VariableValues {
    /// The same values with the bytes behind nulls left out.
    fileprivate func emptyingNulls(_ validity: Bitmap) -> VariableValues {
        var hidden = 0
        for slot in 0..<count where !validity[slot] { hidden += offsets[slot + 1] - offsets[slot] }
        guard hidden > 0 else { return self }
        var builder = BufferBuilder(capacity: dataBytes - hidden)
        var compact = [0]
        compact.reserveCapacity(count + 1)
        for slot in 0..<count {
            if validity[slot] { builder.append(contentsOf: data.slice(offsets[slot]..<offsets[slot + 1])) }
            compact.append(builder.count)
        }
        return VariableValues(offsets: compact, data: builder.finish(), offsetBits: offsetBits)
    }
}

extension Bitmap {
    /// The bits of several bitmaps, one after the other, from bit 0 of a buffer of just the bytes needed.
    package init(joining parts: [Bitmap]) {
        if parts.count == 1 {
            self = parts[0].compacted()
            return
        }
        let total = parts.reduce(0) { $0 + $1.count }
        let buffer = ArrowBuffer(count: (total + 7) / 8) { target in
            _ = target.initializeMemory(as: UInt8.self, repeating: 0)
            var position = 0
            for part in parts {
                let bits = part.compacted()
                bits.buffer.withUnsafeBytes { source in
                    let shift = UInt8(position & 7)
                    var byte = position >> 3
                    for index in 0..<source.count {
                        target[byte] |= source[index] << shift
                        if shift != 0, byte + 1 < target.count { target[byte + 1] |= source[index] >> (8 - shift) }
                        byte += 1
                    }
                }
                position += part.count
            }
        }
        self.init(buffer, count: total)
    }
}
