import Lancer
import LancerArrow

/// Values in the form of the conformance suite: every number a string.
enum ConformanceValues {
    /// Schema, row count and columns as JSON.
    static func json(_ schema: ArrowSchema, rows: Int, _ columns: [ArrowArray]) throws(LanceError) -> JSONText {
        var texts: [JSONText] = []
        for column in columns {
            var text = "["
            for index in 0..<column.length {
                if index > 0 { text += "," }
                try append(column, index, to: &text)
            }
            text += "]"
            texts.append(.raw(text))
        }
        return .object([("schema", ConformanceSchema.json(schema)), ("rows", .count(rows)), ("columns", .array(texts))])
    }

    private static func append(_ array: ArrowArray, _ index: Int, to text: inout String) throws(LanceError) {
        if array.isNull(index) {
            text += "null"
            return
        }
        switch array.storage {
        case .null: text += "null"
        case .boolean(let bits): text += bits[index] ? "true" : "false"
        case .fixedWidth: try appendFixed(array, index, to: &text)
        case .variableWidth:
            switch array.value(at: index) {
            case .string(let value): text += JSONText.string(value).line
            case .bytes(let bytes): text += quotedHex(bytes)
            default: text += "null"
            }
        case .list(let offsets, let child):
            let width = array.type.offsetWidth ?? 4
            let range = offsets.offset(at: index, width: width)..<offsets.offset(at: index + 1, width: width)
            try append(child, range, to: &text)
        case .fixedSizeList(let child):
            guard case .fixedSizeList(_, let size) = array.type else { return }
            try append(child, (index * size)..<(index * size + size), to: &text)
        case .structure(let children):
            text += "["
            for (number, child) in children.enumerated() {
                if number > 0 { text += "," }
                try append(child, index, to: &text)
            }
            text += "]"
        case .dictionary(let indices, let values):
            let place = indices.dictionaryIndex(at: index, width: array.type.byteWidth ?? 4)
            guard place < values.length else { throw LanceError(.corrupt, "a dictionary index is out of range") }
            try append(values, place, to: &text)
        }
    }

    private static func append(_ items: ArrowArray, _ range: Range<Int>, to text: inout String) throws(LanceError) {
        text += "["
        for index in range {
            if index > range.lowerBound { text += "," }
            try append(items, index, to: &text)
        }
        text += "]"
    }

    private static func appendFixed(_ array: ArrowArray, _ index: Int, to text: inout String) throws(LanceError) {
        switch array.type {
        case .float16, .float32, .float64:
            // The bits, most significant digit first; through a number they would lose payloads of NaN.
            try array.withBytes(at: index) { (bytes) throws(LanceError) in text += quotedHex(bytes.reversed()) }
        case .fixedSizeBinary:
            try array.withBytes(at: index) { (bytes) throws(LanceError) in text += quotedHex(bytes) }
        default:
            switch array.value(at: index) {
            case .int(let value): text += "\"\(value)\""
            case .uint(let value): text += "\"\(value)\""
            case .decimal(let value, _): text += "\"\(value)\""
            default: throw LanceError(.unsupported, "values of \(array.type)")
            }
        }
    }

    private static func quotedHex(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = [UInt8(ascii: "\"")]
        let digits = Array("0123456789abcdef".utf8)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        text.append(UInt8(ascii: "\""))
        return String(decoding: text, as: UTF8.self)
    }

    // MARK: Reading values

    /// The batch that JSON describes.
    ///
    /// - Throws: `invalidArgument`.
    static func batch(_ json: JSONDocument) throws(LanceError) -> RecordBatch {
        guard let schemaJSON = json["schema"], let rows = json["rows"]?.integer, let columns = json["columns"]?.items
        else {
            throw wrong("values without schema, rows or columns")
        }
        let schema = try ConformanceSchema.schema(schemaJSON)
        guard schema.fields.count == columns.count else { throw wrong("another number of columns than of fields") }
        var arrays: [ArrowArray] = []
        for (field, column) in zip(schema.fields, columns) {
            guard let values = column.items else { throw wrong("a column that is no array") }
            let builder = ColumnBuilder(field.type)
            for value in values { try append(value, to: builder) }
            arrays.append(builder.finish())
        }
        return try RecordBatch(schema: schema, columns: arrays, rowCount: rows)
    }

    private static func append(_ value: JSONDocument, to builder: ColumnBuilder) throws(LanceError) {
        switch value {
        case .null: builder.appendNull()
        case .bool(let value): try builder.append(bool: value)
        case .string(let text): try append(text, to: builder)
        case .array(let items): try append(items, to: builder)
        case .integer, .number, .object: throw wrong("a value that is a number or an object")
        }
    }

    private static func append(_ items: [JSONDocument], to builder: ColumnBuilder) throws(LanceError) {
        switch builder.type {
        case .structure:
            guard items.count == builder.children.count else { throw wrong("a struct with a wrong number of members") }
            for (item, child) in zip(items, builder.children) { try append(item, to: child) }
        case .map:
            let entries = builder.children[0]
            for item in items {
                guard case .array(let pair) = item, pair.count == 2 else { throw wrong("an entry that is no pair") }
                try append(pair, to: entries)
            }
        default:
            guard let child = builder.children.first else { throw wrong("a list where \(builder.type) should be") }
            for item in items { try append(item, to: child) }
        }
        try builder.endValue()
    }

    private static func append(_ text: String, to builder: ColumnBuilder) throws(LanceError) {
        var type = builder.type
        if case .dictionary(_, let value, _) = type { type = value }
        switch type {
        case .utf8, .largeUtf8: try builder.append(text: text)
        case .binary, .largeBinary, .fixedSizeBinary: try builder.append(.bytes(try bytes(text)))
        case .float16: builder.append(raw: try bits(text, UInt16.self))
        case .float32: builder.append(raw: try bits(text, UInt32.self))
        case .float64: builder.append(raw: try bits(text, UInt64.self))
        case .decimal128, .decimal256: try builder.append(decimal: try decimal(text))
        default:
            if let value = Int64(text) {
                try builder.append(integer: value)
            } else if let value = UInt64(text) {
                try builder.append(integer: value)
            } else {
                throw wrong("\"\(text)\" as \(type)")
            }
        }
    }

    /// Bytes written as hex digits.
    private static func bytes(_ text: String) throws(LanceError) -> [UInt8] {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { throw wrong("an odd number of hex digits") }
        var result: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[start..<(start + 2)], as: UTF8.self), radix: 16) else {
                throw wrong("\"\(text)\" as hex digits")
            }
            result.append(byte)
        }
        return result
    }

    /// The bits of a float, written as hex digits.
    static func bits<T: FixedWidthInteger>(_ text: String, _ type: T.Type) throws(LanceError) -> T {
        guard text.utf8.count == T.bitWidth / 4, let value = T(text, radix: 16) else {
            throw wrong("\"\(text)\" as a float of \(T.bitWidth) bits")
        }
        return value
    }

    private static func decimal(_ text: String) throws(LanceError) -> Int256 {
        var value = Int256.zero
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard !digits.isEmpty else { throw wrong("\"\(text)\" as a decimal") }
        for digit in digits {
            guard (0x30...0x39).contains(digit), value.multiplyAdd(10, UInt64(digit &- 0x30)) else {
                throw wrong("\"\(text)\" as a decimal")
            }
        }
        return digits.count == text.utf8.count ? value : value.negated
    }

    private static func wrong(_ what: String) -> LanceError { .invalidArgument("the question has \(what)") }
}

/// One batch as a source of batches.
struct OneBatch: RecordBatchReader {
    let schema: ArrowSchema
    private var batch: RecordBatch?

    init(_ batch: RecordBatch) {
        schema = batch.schema
        self.batch = batch
    }

    mutating func next() -> RecordBatch? {
        defer { batch = nil }
        return batch
    }
}
