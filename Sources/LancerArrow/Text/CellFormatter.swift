import LancerBytes

/// Writes the values of one array as text, for CSV cells, tables and JSON.
///
/// What is written, in both styles unless said:
/// * integers exactly; decimals exactly, in JSON as strings, since most readers of JSON keep no more than a double;
/// * floats as the shortest decimal that reads back; `NaN`, `Infinity`, `-Infinity` by
///   name, in JSON as strings, since JSON has no such numbers;
/// * dates, times and timestamps in ISO 8601 (``ArrowText``), in JSON as strings; durations as integers of their unit;
/// * binary in base64, in JSON as a string;
/// * text as it is, in JSON as a string;
/// * lists, structures and maps as JSON also in a cell; maps with text keys as objects, others as arrays of
///   `{"key": …, "value": …}`;
/// * a null as `null` in JSON and within nested values, as nothing in a cell.
///
/// The array must be valid (``ArrowArray/validate()``). Make one formatter per array, not per value.
public final class CellFormatter {
    /// What the text is for.
    public enum Style: Sendable {
        /// A cell of CSV or a table.
        case cell
        /// A JSON value.
        case json
    }

    private enum Form {
        case null, bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, half, float, double
        case decimal128(scale: Int)
        case decimal256(scale: Int)
        case date32, date64
        case time32(TimeUnit)
        case time64(TimeUnit)
        case timestamp(TimeUnit, TimeZoneRule)
        case text(isWide: Bool)
        case binary(isWide: Bool)
        case fixedBinary(size: Int)
        case list(isWide: Bool)
        case textMap
        case fixedList(size: Int)
        case structure
        case dictionary(width: Int)
    }

    private let array: ArrowArray
    private let style: Style
    private let form: Form
    // Memory of `array`, which keeps it alive: values, text, indices; offsets.
    private let bytes: UnsafeRawBufferPointer
    private let offsets: UnsafeRawBufferPointer
    private let children: [CellFormatter]
    private let validity: BitReader?
    private let bits: BitReader?
    /// For each member of a structure what precedes its value: brace or comma, quoted name, colon.
    private let prefixes: [[UInt8]]

    /// A formatter of `array`'s values.
    public init(_ array: ArrowArray, style: Style) {
        self.array = array
        self.style = style
        form = Self.form(of: array)
        validity = array.validity.map { BitReader($0.buffer.memory, offset: $0.bitOffset) }
        var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        var offsets = bytes
        var parts: [ArrowArray] = []
        var bits: BitReader?
        switch array.storage {
        case .null: break
        case .boolean(let values): bits = BitReader(values.buffer.memory, offset: values.bitOffset)
        case .fixedWidth(let values): bytes = values.memory
        case .variableWidth(let starts, let data):
            bytes = data.memory
            offsets = starts.memory
        case .list(let starts, let child):
            offsets = starts.memory
            if case .textMap = form, case .structure(let members) = child.storage {
                parts = members
            } else {
                parts = [child]
            }
        case .fixedSizeList(let child): parts = [child]
        case .structure(let members): parts = members
        case .dictionary(let indices, let values):
            bytes = indices.memory
            parts = [values]
        }
        self.bytes = bytes
        self.offsets = offsets
        self.bits = bits
        let isPlain = if case .dictionary = form { style == .cell } else { false }
        children = parts.map { CellFormatter($0, style: isPlain ? .cell : .json) }
        prefixes = array.type.children.enumerated().map { index, field in
            var prefix = BufferBuilder()
            prefix.append(UInt8(ascii: index == 0 ? "{" : ","))
            ArrowText.append(jsonString: field.name, to: &prefix)
            prefix.append(UInt8(ascii: ":"))
            return prefix.finish().bytes
        }
    }

    private static func form(of array: ArrowArray) -> Form {
        switch array.type {
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
        case .timestamp(let unit, let timezone): .timestamp(unit, TimeZoneRule(timezone: timezone))
        case .utf8: .text(isWide: false)
        case .largeUtf8: .text(isWide: true)
        case .binary: .binary(isWide: false)
        case .largeBinary: .binary(isWide: true)
        case .fixedSizeBinary(let size): .fixedBinary(size: size)
        case .list: .list(isWide: false)
        case .largeList: .list(isWide: true)
        case .map(let entries, _):
            switch entries.type.children.first?.type {
            case .utf8, .largeUtf8: .textMap
            default: .list(isWide: false)
            }
        case .fixedSizeList(_, let size): .fixedList(size: size)
        case .structure: .structure
        case .dictionary(let index, _, _): .dictionary(width: index.byteWidth ?? 4)
        }
    }

    /// Whether the cell's text can hold anything at all (text, nested values), so that CSV may have to quote it.
    public var isFreeText: Bool {
        switch form {
        case .text, .list, .textMap, .fixedList, .structure: true
        case .dictionary: children[0].isFreeText
        default: false
        }
    }

    /// Whether the value at `index` is null, a dictionary's looked up.
    @inline(__always)
    public func isNull(_ index: Int) -> Bool {
        if let validity, !validity.bit(at: index) { return true }
        switch form {
        case .null: return true
        case .dictionary(let width): return children[0].isNull(bytes.dictionaryIndex(at: index, width: width))
        default: return false
        }
    }

    /// Appends the text of the value at `index`.
    public func append(_ index: Int, to text: inout BufferBuilder) {
        precondition(index >= 0 && index < array.length, "index outside the array")
        if isNull(index) {
            if style == .json { ArrowText.append("null", to: &text) }
            return
        }
        switch form {
        case .null: break
        case .bool: ArrowText.append(bits?.bit(at: index) == true ? "true" : "false", to: &text)
        case .int8: ArrowText.append(integer: Int64(load(index, Int8.self)), to: &text)
        case .int16: ArrowText.append(integer: Int64(load(index, Int16.self)), to: &text)
        case .int32: ArrowText.append(integer: Int64(load(index, Int32.self)), to: &text)
        case .int64: ArrowText.append(integer: load(index, Int64.self), to: &text)
        case .uint8: ArrowText.append(integer: UInt64(load(index, UInt8.self)), to: &text)
        case .uint16: ArrowText.append(integer: UInt64(load(index, UInt16.self)), to: &text)
        case .uint32: ArrowText.append(integer: UInt64(load(index, UInt32.self)), to: &text)
        case .uint64: ArrowText.append(integer: load(index, UInt64.self), to: &text)
        case .half:
            let value = load(index, UInt16.self)
            quoted(style == .json && value & 0x7C00 == 0x7C00, &text) { ArrowText.append(half: value, to: &$0) }
        case .float:
            let value = load(index, Float.self)
            quoted(style == .json && !value.isFinite, &text) { ArrowText.append(float: value, to: &$0) }
        case .double:
            let value = load(index, Double.self)
            quoted(style == .json && !value.isFinite, &text) { ArrowText.append(float: value, to: &$0) }
        case .decimal128(let scale):
            let low = bytes.loadUnaligned(fromByteOffset: index &* 16, as: UInt64.self)
            let high = bytes.loadUnaligned(fromByteOffset: index &* 16 &+ 8, as: UInt64.self)
            quoted(&text) { ArrowText.append(decimal: Int256(low: low, high: high), scale: scale, to: &$0) }
        case .decimal256(let scale):
            quoted(&text) { ArrowText.append(decimal: load(index, Int256.self), scale: scale, to: &$0) }
        case .date32: quoted(&text) { ArrowText.append(date: Int64(load(index, Int32.self)), to: &$0) }
        case .date64: quoted(&text) { ArrowText.append(date64: load(index, Int64.self), to: &$0) }
        case .time32(let unit): quoted(&text) { ArrowText.append(time: Int64(load(index, Int32.self)), unit, to: &$0) }
        case .time64(let unit): quoted(&text) { ArrowText.append(time: load(index, Int64.self), unit, to: &$0) }
        case .timestamp(let unit, let zone):
            quoted(&text) { ArrowText.append(timestamp: load(index, Int64.self), unit, zone, to: &$0) }
        case .text(let isWide):
            let value = slice(index, isWide)
            if style == .json { ArrowText.append(jsonString: value, to: &text) } else { text.append(value) }
        case .binary(let isWide): quoted(&text) { ArrowText.append(base64: slice(index, isWide), to: &$0) }
        case .fixedBinary(let size):
            let value = UnsafeRawBufferPointer(rebasing: bytes[(index * size)..<(index * size + size)])
            quoted(&text) { ArrowText.append(base64: value, to: &$0) }
        case .list(let isWide):
            let (start, end) = offsets.offsetPair(at: index, isWide: isWide)
            appendItems(start..<end, to: &text)
        case .fixedList(let size): appendItems((index * size)..<(index * size + size), to: &text)
        case .textMap: appendMap(index, to: &text)
        case .structure:
            for (child, prefix) in zip(children, prefixes) {
                text.append(contentsOf: prefix)
                child.append(index, to: &text)
            }
            ArrowText.append(children.isEmpty ? "{}" : "}", to: &text)
        case .dictionary(let width): children[0].append(bytes.dictionaryIndex(at: index, width: width), to: &text)
        }
    }

    @inline(__always)
    private func load<T: BitwiseCopyable>(_ index: Int, _ type: T.Type) -> T {
        bytes.loadUnaligned(fromByteOffset: index &* MemoryLayout<T>.size, as: T.self)
    }

    private func slice(_ index: Int, _ isWide: Bool) -> UnsafeRawBufferPointer {
        let (start, end) = offsets.offsetPair(at: index, isWide: isWide)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }

    @inline(__always)
    private func quoted(_ text: inout BufferBuilder, _ body: (inout BufferBuilder) -> Void) {
        quoted(style == .json, &text, body)
    }

    @inline(__always)
    private func quoted(_ isQuoted: Bool, _ text: inout BufferBuilder, _ body: (inout BufferBuilder) -> Void) {
        if isQuoted { text.append(UInt8(ascii: "\"")) }
        body(&text)
        if isQuoted { text.append(UInt8(ascii: "\"")) }
    }

    private func appendItems(_ range: Range<Int>, to text: inout BufferBuilder) {
        text.append(UInt8(ascii: "["))
        for item in range {
            if item > range.lowerBound { text.append(UInt8(ascii: ",")) }
            children[0].append(item, to: &text)
        }
        text.append(UInt8(ascii: "]"))
    }

    private func appendMap(_ index: Int, to text: inout BufferBuilder) {
        let (start, end) = offsets.offsetPair(at: index, isWide: false)
        text.append(UInt8(ascii: "{"))
        for entry in start..<end {
            if entry > start { text.append(UInt8(ascii: ",")) }
            children[0].append(entry, to: &text)
            text.append(UInt8(ascii: ":"))
            children[1].append(entry, to: &text)
        }
        text.append(UInt8(ascii: "}"))
    }
}

extension ArrowArray {
    /// The text of one value; see ``CellFormatter``, which is the thing to use for many.
    public func formatted(at index: Int, style: CellFormatter.Style = .json) -> String {
        var text = BufferBuilder()
        CellFormatter(self, style: style).append(index, to: &text)
        return text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}

extension ArrowBuffer {
    /// The bytes, to be used only while something keeps the buffer.
    fileprivate var memory: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
}
