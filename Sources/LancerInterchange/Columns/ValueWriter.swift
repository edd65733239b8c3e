import LancerArrow
import LancerBytes

/// Writes the values of one array as CSV cells or JSON.
///
/// | type | CSV cell | JSON |
/// |---|---|---|
/// | null | empty | `null` |
/// | bool, integers, duration | `true`, `-5` | the same |
/// | floats | shortest text that reads back equal; `NaN`, `Infinity`, `-Infinity` | the same, special values as strings |
/// | decimals | `12.50` | `"12.50"` |
/// | dates, times, timestamps | ISO 8601; `Z` behind timestamps that have a zone | the same as a string |
/// | text | the text | a string |
/// | binary | base64 | the same as a string |
/// | lists, structs | JSON | arrays, objects |
/// | maps | JSON | an object when keys are text, else `[{"key": …, "value": …}]` |
/// | dictionaries | the value | the value |
final class ValueWriter {
    private enum Form {
        case null, bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, half, float, double
        case decimal128(scale: Int)
        case decimal256(scale: Int)
        case date32, date64
        case time32(TimeUnit)
        case time64(TimeUnit)
        case timestamp(TimeUnit, utc: Bool)
        case text, binary
        case fixedBinary(Int)
        case list
        case fixedList(Int)
        case structure
        case textMap, map
        case dictionary(ArrowType)
    }

    // The pointers below point into buffers that `array` keeps alive.
    private let array: ArrowArray
    private let form: Form
    private let values: UnsafeRawPointer?
    private let offsets: UnsafeRawPointer?
    private let hasWideOffsets: Bool
    private let bits: Bitmap?
    private let children: [ValueWriter]
    /// `"name":` of each member of a structure.
    private let keys: [[UInt8]]

    /// Prepares to write the values of `array`.
    ///
    /// - Throws: `corrupt` when a dictionary's index is outside its values.
    init(_ array: ArrowArray) throws(LanceError) {
        self.array = array
        form = Self.form(of: array.type)
        hasWideOffsets = array.type.offsetWidth == 8
        var values: ArrowBuffer?
        var offsets: ArrowBuffer?
        var bits: Bitmap?
        var children: [ValueWriter] = []
        switch array.storage {
        case .null: break
        case .boolean(let bitmap): bits = bitmap
        case .fixedWidth(let buffer): values = buffer
        case .variableWidth(let ends, let data): (offsets, values) = (ends, data)
        case .list(let ends, let child):
            offsets = ends
            children = [try ValueWriter(child)]
        case .fixedSizeList(let child): children = [try ValueWriter(child)]
        case .structure(let members): for member in members { children.append(try ValueWriter(member)) }
        case .dictionary(let indices, let distinct):
            values = indices
            children = [try ValueWriter(distinct)]
        }
        self.values = values?.start
        self.offsets = offsets?.start
        self.bits = bits
        self.children = children
        keys = array.type.children.map { field in
            var text = BufferBuilder()
            JSONText.append(Array(field.name.utf8), into: &text)
            return text.finish().bytes + [0x3A]
        }
        if case .dictionary = form, let count = children.first?.array.length {
            for row in 0..<array.length where !array.isNull(row) {
                let index = dictionaryIndex(row)
                guard index >= 0, index < count else { throw .corrupt("dictionary index \(index) of \(count) values") }
            }
        }
    }

    private static func form(of type: ArrowType) -> Form {
        switch type {
        case .null: .null
        case .bool: .bool
        case .int8: .int8
        case .int16: .int16
        case .int32: .int32
        case .int64, .duration: .int64
        case .uint8: .uint8
        case .uint16: .uint16
        case .uint32: .uint32
        case .uint64: .uint64
        case .float16: .half
        case .float32: .float
        case .float64: .double
        case .decimal128(_, let scale): .decimal128(scale: scale)
        case .decimal256(_, let scale): .decimal256(scale: scale)
        case .date32: .date32
        case .date64: .date64
        case .time32(let unit): .time32(unit)
        case .time64(let unit): .time64(unit)
        case .timestamp(let unit, let zone): .timestamp(unit, utc: zone != nil)
        case .utf8, .largeUtf8: .text
        case .binary, .largeBinary: .binary
        case .fixedSizeBinary(let size): .fixedBinary(size)
        case .list, .largeList: .list
        case .fixedSizeList(_, let size): .fixedList(size)
        case .structure: .structure
        case .map(let entries, _):
            switch entries.type.children.first?.type {
            case .utf8, .largeUtf8: .textMap
            default: .map
            }
        case .dictionary(let index, _, _): .dictionary(index)
        }
    }

    // MARK: Memory

    @inline(__always)
    private func load<T: BitwiseCopyable>(_ row: Int, as type: T.Type) -> T {
        // Safe: an array of `length` values has a buffer of as many; callers stay below the length.
        guard let values else { preconditionFailure("a fixed-width array has values") }
        return values.loadUnaligned(fromByteOffset: row &* MemoryLayout<T>.size, as: T.self)
    }

    @inline(__always)
    private func range(_ row: Int) -> Range<Int> {
        guard let offsets else { return 0..<0 }
        if hasWideOffsets {
            let start = offsets.loadUnaligned(fromByteOffset: row &* 8, as: Int64.self)
            return Int(start)..<Int(offsets.loadUnaligned(fromByteOffset: row &* 8 &+ 8, as: Int64.self))
        }
        let start = offsets.loadUnaligned(fromByteOffset: row &* 4, as: Int32.self)
        return Int(start)..<Int(offsets.loadUnaligned(fromByteOffset: row &* 4 &+ 4, as: Int32.self))
    }

    /// The bytes of a text or binary value.
    @inline(__always)
    private func bytes(_ row: Int) -> TextBytes {
        var place = range(row)
        if case .fixedBinary(let size) = form { place = (row * size)..<((row + 1) * size) }
        guard let values, !place.isEmpty else { return TextBytes(start: nil, count: 0) }
        let start = (values + place.lowerBound).assumingMemoryBound(to: UInt8.self)
        return TextBytes(start: start, count: place.count)
    }

    private func dictionaryIndex(_ row: Int) -> Int {
        guard case .dictionary(let type) = form else { return 0 }
        return switch type {
        case .int8: Int(load(row, as: Int8.self))
        case .uint8: Int(load(row, as: UInt8.self))
        case .int16: Int(load(row, as: Int16.self))
        case .uint16: Int(load(row, as: UInt16.self))
        case .int32: Int(load(row, as: Int32.self))
        case .uint32: Int(load(row, as: UInt32.self))
        case .int64: Int(load(row, as: Int64.self))
        default: Int(truncatingIfNeeded: load(row, as: UInt64.self))
        }
    }

    // MARK: Writing

    /// Appends the value as a CSV cell, in quotes when `quoting` asks for them.
    func appendCell(_ row: Int, quoting: CSVQuoting, into output: inout BufferBuilder) {
        if array.isNull(row) { return }
        switch form {
        case .text: quoting.append(bytes(row), into: &output)
        case .list, .fixedList, .structure, .textMap, .map:
            var json = BufferBuilder()
            appendJSON(row, into: &json)
            json.withUnsafeBytes { quoting.append($0.bindMemory(to: UInt8.self), into: &output) }
        case .binary, .fixedBinary:
            let value = bytes(row)
            // An empty value is quoted, so that it differs from null.
            if value.isEmpty { quoting.append(value, into: &output) } else { appendScalar(row, into: &output) }
        case .dictionary: children[0].appendCell(dictionaryIndex(row), quoting: quoting, into: &output)
        default: appendScalar(row, into: &output)
        }
    }

    /// Appends the value as JSON.
    func appendJSON(_ row: Int, into output: inout BufferBuilder) {
        if array.isNull(row) { return output.append(contentsOf: JSONText.null) }
        switch form {
        case .text: JSONText.append(bytes(row), into: &output)
        case .decimal128, .decimal256, .date32, .date64, .time32, .time64, .timestamp, .binary, .fixedBinary:
            output.append(UInt8(0x22))
            appendScalar(row, into: &output)
            output.append(UInt8(0x22))
        case .half, .float, .double:
            let isFinite =
                switch form {
                case .half: HalfFloat.value(load(row, as: UInt16.self)).isFinite
                case .float: load(row, as: Float.self).isFinite
                default: load(row, as: Double.self).isFinite
                }
            if !isFinite { output.append(UInt8(0x22)) }
            appendScalar(row, into: &output)
            if !isFinite { output.append(UInt8(0x22)) }
        case .list, .map: appendItems(range(row), into: &output)
        case .fixedList(let size): appendItems((row * size)..<((row + 1) * size), into: &output)
        case .structure: appendMembers(row, into: &output)
        case .textMap: appendEntries(range(row), into: &output)
        case .dictionary: children[0].appendJSON(dictionaryIndex(row), into: &output)
        default: appendScalar(row, into: &output)
        }
    }

    private func appendItems(_ items: Range<Int>, into output: inout BufferBuilder) {
        output.append(UInt8(0x5B))
        for index in items {
            if index > items.lowerBound { output.append(UInt8(0x2C)) }
            children[0].appendJSON(index, into: &output)
        }
        output.append(UInt8(0x5D))
    }

    private func appendMembers(_ row: Int, into output: inout BufferBuilder) {
        output.append(UInt8(0x7B))
        for (index, child) in children.enumerated() {
            if index > 0 { output.append(UInt8(0x2C)) }
            output.append(contentsOf: keys[index])
            child.appendJSON(row, into: &output)
        }
        output.append(UInt8(0x7D))
    }

    private func appendEntries(_ entries: Range<Int>, into output: inout BufferBuilder) {
        let (keys, values) = (children[0].children[0], children[0].children[1])
        output.append(UInt8(0x7B))
        for index in entries {
            if index > entries.lowerBound { output.append(UInt8(0x2C)) }
            JSONText.append(keys.bytes(index), into: &output)
            output.append(UInt8(0x3A))
            values.appendJSON(index, into: &output)
        }
        output.append(UInt8(0x7D))
    }

    /// Appends a value that is neither text nor nested, without quotes.
    private func appendScalar(_ row: Int, into output: inout BufferBuilder) {
        switch form {
        case .bool: output.append(contentsOf: bits?[row] == true ? JSONText.yes : JSONText.no)
        case .int8: NumberText.append(Int64(load(row, as: Int8.self)), into: &output)
        case .int16: NumberText.append(Int64(load(row, as: Int16.self)), into: &output)
        case .int32: NumberText.append(Int64(load(row, as: Int32.self)), into: &output)
        case .int64: NumberText.append(load(row, as: Int64.self), into: &output)
        case .uint8: NumberText.append(UInt64(load(row, as: UInt8.self)), into: &output)
        case .uint16: NumberText.append(UInt64(load(row, as: UInt16.self)), into: &output)
        case .uint32: NumberText.append(UInt64(load(row, as: UInt32.self)), into: &output)
        case .uint64: NumberText.append(load(row, as: UInt64.self), into: &output)
        case .half:
            let bits = load(row, as: UInt16.self)
            let value = HalfFloat.value(bits)
            NumberText.append(value.isFinite ? HalfFloat.text(bits) : NumberText.special(value), into: &output)
        case .float:
            let value = load(row, as: Float.self)
            NumberText.append(value.isFinite ? value.description : NumberText.special(value), into: &output)
        case .double:
            let value = load(row, as: Double.self)
            NumberText.append(value.isFinite ? value.description : NumberText.special(value), into: &output)
        case .decimal128(let scale):
            let value = Int256(low: load(row * 2, as: UInt64.self), high: load(row * 2 + 1, as: UInt64.self))
            DecimalText.append(value, scale: scale, into: &output)
        case .decimal256(let scale): DecimalText.append(load(row, as: Int256.self), scale: scale, into: &output)
        case .date32: TemporalText.append(days: Int64(load(row, as: Int32.self)), into: &output)
        case .date64:
            let value = load(row, as: Int64.self)
            if value % 86_400_000 == 0 {
                TemporalText.append(days: value / 86_400_000, into: &output)
            } else {
                TemporalText.append(moment: value, unit: .millisecond, utc: false, into: &output)
            }
        case .time32(let unit):
            TemporalText.append(time: Int64(load(row, as: Int32.self)), unit: unit, into: &output)
        case .time64(let unit): TemporalText.append(time: load(row, as: Int64.self), unit: unit, into: &output)
        case .timestamp(let unit, let utc):
            TemporalText.append(moment: load(row, as: Int64.self), unit: unit, utc: utc, into: &output)
        case .binary, .fixedBinary: Base64.encode(UnsafeRawBufferPointer(bytes(row)), into: &output)
        case .null, .text, .list, .fixedList, .structure, .textMap, .map, .dictionary: break
        }
    }
}
