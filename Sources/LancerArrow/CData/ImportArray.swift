import CArrowData
import LancerBytes

extension ArrowCData {
    /// Takes an array over and checks it (``ArrowArray/validate()``); its memory is shared, not copied.
    ///
    /// The structure counts as moved: it is marked released at once, and released for real when the last array over its
    /// memory is gone, or before this function throws.
    ///
    /// - Throws: `corrupt` when the structure does not fit the type or the data break a rule of Arrow.
    public static func importArray(
        from source: UnsafeMutablePointer<CArrowArray>,
        as type: ArrowType
    ) throws(LanceError) -> ArrowArray {
        guard source.pointee.release != nil else { throw .invalidArgument("an Arrow C array that is released already") }
        let importer = ArrayImporter(moving: source)
        let array = try importer.array(importer.owner.array, type, depth: 0)
        try array.validate()
        return array
    }

    /// Takes a batch of rows over (a structure array without nulls of its own); see ``importArray(from:as:)``.
    ///
    /// - Throws: `corrupt` when the structure does not fit the schema or the data break a rule of Arrow.
    public static func importBatch(
        from source: UnsafeMutablePointer<CArrowArray>,
        schema: ArrowSchema
    ) throws(LanceError) -> RecordBatch {
        let rows = try importArray(from: source, as: .structure(schema.fields))
        guard rows.nullCount == 0, case .structure(let columns) = rows.storage else {
            throw .corrupt("a batch of rows has rows that are null")
        }
        return try RecordBatch(schema: schema, columns: columns, rowCount: rows.length)
    }
}

/// A structure taken over from elsewhere, released with the last buffer that needs it.
private final class ImportedArray {
    private(set) var array: CArrowArray

    init(moving source: UnsafeMutablePointer<CArrowArray>) {
        array = source.pointee
        source.pointee.release = nil
    }

    deinit { array.release?(&array) }
}

/// Wraps the parts of a foreign array.
private struct ArrayImporter {
    let owner: ImportedArray

    init(moving source: UnsafeMutablePointer<CArrowArray>) { owner = ImportedArray(moving: source) }

    func array(_ source: CArrowArray, _ type: ArrowType, depth: Int) throws(LanceError) -> ArrowArray {
        guard depth <= DecodeLimits.standard.schemaDepth else {
            throw .limitExceeded("types are nested more than \(DecodeLimits.standard.schemaDepth) deep")
        }
        let length = try Int(checked: source.length, "length of a \(type) array")
        let offset = try Int(checked: source.offset, "offset of a \(type) array")
        guard length >= 0, offset >= 0 else { throw .corrupt("a \(type) array of length \(length), offset \(offset)") }
        let end = try offset.adding(length, "end of a \(type) array")
        let shape = Shape(type)
        guard source.n_buffers == shape.buffers, source.n_children == shape.children else {
            throw .corrupt("a \(type) array has \(source.n_buffers) buffers and \(source.n_children) children")
        }
        let storage = try self.storage(source, type, offset..<end, depth)
        return ArrowArray(
            type: type,
            length: length,
            validity: try validity(source, type, offset..<end),
            storage: storage
        )
    }

    /// How many buffers and children an array of a type has.
    private struct Shape {
        let buffers: Int64
        let children: Int64

        init(_ type: ArrowType) {
            children = Int64(type.children.count)
            switch type {
            case .null: buffers = 0
            case .structure, .fixedSizeList: buffers = 1
            case .utf8, .largeUtf8, .binary, .largeBinary: buffers = 3
            default: buffers = 2
            }
        }
    }

    private func validity(_ source: CArrowArray, _ type: ArrowType, _ range: Range<Int>) throws(LanceError) -> Bitmap? {
        if case .null = type { return nil }
        guard let bits = source.buffers?[0] else {
            guard source.null_count <= 0 else { throw .corrupt("a \(type) array has nulls but no validity bitmap") }
            return nil
        }
        return source.null_count == 0 ? nil : try bitmap(bits, range)
    }

    private func storage(
        _ source: CArrowArray,
        _ type: ArrowType,
        _ range: Range<Int>,
        _ depth: Int
    ) throws(LanceError) -> ArrowArray.Storage {
        switch type {
        case .null: return .null
        case .bool: return .boolean(try bitmap(source.buffers?[1], range))
        case .utf8, .largeUtf8, .binary, .largeBinary:
            let (offsets, end) = try offsets(source, type, range)
            return .variableWidth(offsets: offsets, data: try buffer(source.buffers?[2], 0..<end, type))
        case .list(let item), .largeList(let item), .map(let item, _):
            let (offsets, _) = try offsets(source, type, range)
            return .list(offsets: offsets, child: try child(source, 0, item, depth))
        case .fixedSizeList(let item, let size):
            let all = try child(source, 0, item, depth)
            let items = try range.times(size, type)
            return .fixedSizeList(child: try all.checkedSlice(items, type))
        case .structure(let fields):
            var members: [ArrowArray] = []
            for (index, field) in fields.enumerated() {
                members.append(try child(source, index, field, depth).checkedSlice(range, type))
            }
            return .structure(members)
        case .dictionary(let index, let value, _):
            guard let dictionary = source.dictionary else { throw .corrupt("a dictionary array without a dictionary") }
            return .dictionary(
                indices: try fixed(source, index.byteWidth ?? 4, range, type),
                values: try array(dictionary.pointee, value, depth: depth + 1)
            )
        default: return .fixedWidth(try fixed(source, type.byteWidth ?? 0, range, type))
        }
    }

    private func child(
        _ source: CArrowArray,
        _ index: Int,
        _ field: ArrowField,
        _ depth: Int
    ) throws(LanceError) -> ArrowArray {
        guard let child = source.children?[index] else { throw .corrupt("an Arrow C array without child \(index)") }
        do throws(LanceError) {
            return try array(child.pointee, field.type, depth: depth + 1)
        } catch {
            throw error.located(part: "\"\(field.name)\"")
        }
    }

    private func fixed(
        _ source: CArrowArray,
        _ width: Int,
        _ range: Range<Int>,
        _ type: ArrowType
    ) throws(LanceError) -> ArrowBuffer {
        try buffer(source.buffers?[1], try range.times(width, type), type)
    }

    /// The offsets of the values in `range`, and the last of them.
    private func offsets(
        _ source: CArrowArray,
        _ type: ArrowType,
        _ range: Range<Int>
    ) throws(LanceError) -> (ArrowBuffer, end: Int) {
        // An array of no values may come without any offset.
        if range.isEmpty { return (ArrowBuffer(zeroed: 8).slice(0..<(type.offsetWidth ?? 4)), 0) }
        let width = type.offsetWidth ?? 4
        let bytes = try range.times(width, type)
        let end = try bytes.upperBound.adding(width, "offsets of a \(type) array")
        let buffer = try buffer(source.buffers?[1], bytes.lowerBound..<end, type)
        let last = buffer.offset(at: range.count, width: width)
        guard last >= 0 else { throw .corrupt("offsets of \(type) end at \(last)") }
        return (buffer, last)
    }

    private func bitmap(_ pointer: UnsafeRawPointer?, _ range: Range<Int>) throws(LanceError) -> Bitmap {
        let first = range.lowerBound / 8
        let end = try range.upperBound.adding(7, "bits of an Arrow C array") / 8
        let bytes = try buffer(pointer, first..<max(first, end), .bool)
        return Bitmap(bytes, bitOffset: range.lowerBound % 8, count: range.count)
    }

    /// Bytes `range` from a foreign address; they keep the whole foreign array alive.
    private func buffer(
        _ pointer: UnsafeRawPointer?,
        _ range: Range<Int>,
        _ type: ArrowType
    ) throws(LanceError) -> ArrowBuffer {
        if range.isEmpty { return .empty }
        guard let pointer else { throw .corrupt("a \(type) array lacks a buffer") }
        guard UInt(bitPattern: pointer) <= UInt(Int.max) - UInt(range.upperBound) else {
            throw .corrupt("a \(type) array claims more memory than there is")
        }
        let start = UnsafeMutableRawPointer(mutating: pointer + range.lowerBound)
        let storage = BufferStorage(foreign: start, capacity: range.count) { [owner] in
            withExtendedLifetime(owner) {}
        }
        return ArrowBuffer(storage: storage, offset: 0, count: range.count)
    }
}

extension Range<Int> {
    /// The range of items when each of these has `factor`.
    fileprivate func times(_ factor: Int, _ type: ArrowType) throws(LanceError) -> Range<Int> {
        let end = try upperBound.multiplied(by: factor, "size of a \(type) array")
        return (lowerBound &* factor)..<end
    }
}

extension ArrowArray {
    /// A part that a parent asks for; the child may be too short.
    fileprivate func checkedSlice(_ range: Range<Int>, _ parent: ArrowType) throws(LanceError) -> ArrowArray {
        guard range.upperBound <= length else {
            throw .corrupt("a child of \(parent) has \(length) values, \(range.upperBound) are needed")
        }
        return slice(range)
    }
}
