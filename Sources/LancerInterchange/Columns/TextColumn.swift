import LancerArrow
import LancerBytes

/// Builds a column out of text: CSV cells, JSON numbers and strings.
///
/// | type | text |
/// |---|---|
/// | bool | `true`, `True`, `TRUE`, `1`, `false`, `False`, `FALSE`, `0` |
/// | integers | decimal digits with an optional sign |
/// | floats | decimal numbers, `NaN`, `Infinity`, `-Infinity` (also `nan`, `inf`); a finite number must stay finite |
/// | decimals | decimal numbers that need no rounding |
/// | dates, times, timestamps | ISO 8601, see `ArrowText`; a timestamp has an offset when the type has a zone |
/// | duration | an integer in the type's unit |
/// | binary | base64 |
final class TextColumn {
    /// How text becomes a value.
    enum Form {
        case null, bool, integer, unsigned, double, float, half
        case decimal(precision: Int, scale: Int)
        case date32, date64
        case time(TimeUnit)
        case timestamp(TimeUnit, zoned: Bool)
        case text, base64
        case list
        case fixedList(Int)
        case structure, map
    }

    let type: ArrowType
    let form: Form
    let builder: ColumnBuilder
    /// Columns of the type's children.
    let children: [TextColumn]
    /// The type's child fields.
    let fields: [ArrowField]
    /// A structure's field names as UTF-8.
    let names: [[UInt8]]
    private let places: [[UInt8]: Int]

    /// The longest fixed-size list, since a null one takes as much memory as any other.
    private static let longestFixedList = 1 << 22

    /// A column of a type.
    ///
    /// - Throws: `unsupported` for dictionaries of nested values, `limitExceeded` for huge fixed-size lists.
    convenience init(_ type: ArrowType) throws(LanceError) { try self.init(ColumnBuilder(type)) }

    private init(_ builder: ColumnBuilder) throws(LanceError) {
        self.builder = builder
        type = builder.type
        fields = type.children
        names = fields.map { Array($0.name.utf8) }
        places = Dictionary(zip(names, names.indices)) { first, _ in first }
        if case .fixedSizeList(_, let size) = type, size > Self.longestFixedList {
            throw .limitExceeded("\(type) from text: at most \(Self.longestFixedList) items")
        }
        var children: [TextColumn] = []
        for child in builder.children { children.append(try TextColumn(child)) }
        self.children = children
        if case .dictionary(_, let value, _) = type {
            guard value.children.isEmpty else { throw .unsupported("\(type) from text: dictionaries of nested values") }
            form = Self.form(of: value)
        } else {
            form = Self.form(of: type)
        }
    }

    private static func form(of type: ArrowType) -> Form {
        switch type {
        case .null, .dictionary: .null
        case .bool: .bool
        case .int8, .int16, .int32, .int64, .duration, .uint8, .uint16, .uint32: .integer
        case .uint64: .unsigned
        case .float16: .half
        case .float32: .float
        case .float64: .double
        case .decimal128(let precision, let scale), .decimal256(let precision, let scale):
            .decimal(precision: precision, scale: scale)
        case .date32: .date32
        case .date64: .date64
        case .time32(let unit), .time64(let unit): .time(unit)
        case .timestamp(let unit, let zone): .timestamp(unit, zoned: zone != nil)
        case .utf8, .largeUtf8: .text
        case .binary, .largeBinary, .fixedSizeBinary: .base64
        case .list, .largeList: .list
        case .fixedSizeList(_, let size): .fixedList(size)
        case .structure: .structure
        case .map: .map
        }
    }

    /// Position of a structure's field, looked for from field `next` on first.
    @inline(__always)
    func place(of name: TextBytes, near next: Int) -> Int? {
        for place in next..<Swift.min(next + 4, names.count) where names[place].elementsEqual(name) { return place }
        return places[Array(name)]
    }

    /// Whether values are written as JSON arrays or objects.
    var isNested: Bool {
        switch form {
        case .list, .fixedList, .structure, .map: true
        default: false
        }
    }

    /// Whether values are text.
    var isText: Bool { if case .text = form { true } else { false } }

    /// Whether empty text is a value: text and binary.
    var hasEmptyValue: Bool {
        switch form {
        case .text, .base64: true
        default: false
        }
    }

    /// Appends the value that the text stands for; false when it stands for none of this type.
    ///
    /// Eight bytes from `text` on must be readable. Text that is known to be ASCII (`ascii`) is not checked for UTF-8.
    ///
    /// - Throws: `limitExceeded` when the column is full.
    func append(_ text: UnsafePointer<UInt8>, _ count: Int, ascii: Bool = false) throws(LanceError) -> Bool {
        do throws(LanceError) {
            return try appendValue(text, count, ascii: ascii)
        } catch {
            // The builder refuses numbers that do not fit the width: no value of this type.
            if error.code == .invalidArgument { return false }
            throw error
        }
    }

    @inline(__always)
    private func appendValue(_ text: UnsafePointer<UInt8>, _ count: Int, ascii: Bool) throws(LanceError) -> Bool {
        switch form {
        case .text:
            guard ascii || ByteScan.isUTF8(text, count) else { return false }
            try builder.append(bytes: UnsafeRawBufferPointer(start: text, count: count))
        case .integer:
            guard let value = IntegerText.signed(text, count) else { return false }
            try builder.append(integer: value)
        case .unsigned:
            guard let value = IntegerText.unsigned(text, count) else { return false }
            try builder.append(integer: value)
        case .double:
            guard let value = FloatText.double(text, count) else { return false }
            try builder.append(float: value)
        case .float:
            guard let value = FloatText.float(text, count) else { return false }
            try builder.append(float: Double(value))
        case .half:
            guard let value = FloatText.double(text, count) else { return false }
            if value.isFinite, value.magnitude >= 65520 { return false }
            try builder.append(float: value)
        case .bool:
            guard let value = Self.bool(text, count) else { return false }
            try builder.append(bool: value)
        case .null, .list, .fixedList, .structure, .map: return false
        case .base64:
            let raw = UnsafeRawBufferPointer(start: text, count: count)
            guard let bytes = ArrowText.parseBase64(raw) else { return false }
            try builder.append(.bytes(bytes))
        case .date32, .date64, .time, .timestamp, .decimal: return try appendRare(text, count)
        }
        return true
    }

    private func appendRare(_ text: UnsafePointer<UInt8>, _ count: Int) throws(LanceError) -> Bool {
        let raw = UnsafeRawBufferPointer(start: text, count: count)
        switch form {
        case .date32:
            guard let days = ArrowText.parseDate(raw) else { return false }
            try builder.append(integer: days)
        case .date64:
            guard let moment = ArrowText.parseTimestamp(raw), moment.offsetMinutes == nil,
                let value = moment.value(.millisecond, .none)
            else { return false }
            try builder.append(integer: value)
        case .time(let unit):
            guard let value = ArrowText.parseTime(raw, unit: unit) else { return false }
            try builder.append(integer: value)
        case .timestamp(let unit, let zoned):
            // Clock time in a column of moments, or the reverse, would have to be guessed.
            guard let moment = ArrowText.parseTimestamp(raw), (moment.offsetMinutes != nil) == zoned,
                let value = moment.value(unit, .none)
            else { return false }
            try builder.append(integer: value)
        case .decimal(let precision, let scale):
            guard let value = ArrowText.parseDecimal(raw, precision: precision, scale: scale) else { return false }
            try builder.append(decimal: value)
        default: return false
        }
        return true
    }

    /// Appends a boolean; false when the column holds something else.
    func append(bool value: Bool) throws(LanceError) -> Bool {
        guard case .bool = form else { return false }
        try builder.append(bool: value)
        return true
    }

    static func bool(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool? {
        switch count {
        case 1: text[0] == 0x31 ? true : text[0] == 0x30 ? false : nil
        case 4, 5:
            switch String(decoding: TextBytes(start: text, count: count), as: UTF8.self) {
            case "true", "True", "TRUE": true
            case "false", "False", "FALSE": false
            default: nil
            }
        default: nil
        }
    }

    /// The column, and an empty builder for the next batch.
    func finish() -> ArrowArray { builder.finish() }
}

extension ArrowSchema {
    /// Most rows of a batch that stays near 32 MiB however little text is behind it: null vectors take memory too.
    func rowLimit(_ rows: Int) -> Int {
        let rowBytes = fields.reduce(1) { $0 + $1.type.leastBytes }
        return Swift.max(Swift.min(rows, (32 << 20) / rowBytes), 1)
    }
}

extension ArrowType {
    /// Bytes that every value takes, null or not; huge ones are cut short.
    fileprivate var leastBytes: Int {
        switch self {
        case .fixedSizeList(let item, let size):
            Swift.min(Swift.min(size, 1 << 26) * Swift.min(item.type.leastBytes, 1 << 26), 1 << 26)
        case .structure(let fields): Swift.min(fields.reduce(0) { $0 + $1.type.leastBytes }, 1 << 26)
        case .bool, .null: 1
        default: (byteWidth ?? 0) + (offsetWidth ?? 0)
        }
    }
}
