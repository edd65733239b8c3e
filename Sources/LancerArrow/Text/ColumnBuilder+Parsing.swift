import LancerBytes

/// What text of a type's values looks like.
enum TextForm {
    case none, bool, signed, unsigned, float, float32
    case decimal(precision: Int, scale: Int)
    case date32, date64
    case time(TimeUnit)
    case timestamp(TimeUnit, TimeZoneRule)
    case text, base64

    init(_ type: ArrowType) {
        self =
            switch type {
            case .bool: .bool
            case .int8, .int16, .int32, .int64, .duration: .signed
            case .uint8, .uint16, .uint32, .uint64: .unsigned
            case .float16, .float64: .float
            case .float32: .float32
            case .decimal128(let precision, let scale), .decimal256(let precision, let scale):
                .decimal(precision: precision, scale: scale)
            case .date32: .date32
            case .date64: .date64
            case .time32(let unit), .time64(let unit): .time(unit)
            case .timestamp(let unit, let timezone): .timestamp(unit, TimeZoneRule(timezone: timezone))
            case .utf8, .largeUtf8: .text
            case .binary, .largeBinary, .fixedSizeBinary: .base64
            case .null, .list, .largeList, .fixedSizeList, .structure, .map, .dictionary: .none
            }
    }
}

extension ColumnBuilder {
    /// Appends the value that `text` stands for, in the forms that ``CellFormatter`` writes.
    ///
    /// Booleans are `true` and `false` in any case, or `1` and `0`; numbers and dates see ``ArrowText``; durations are
    /// integers; binary is base64. Text must be UTF-8. A half is rounded from the nearest double.
    ///
    /// - Throws: `invalidArgument` when the text is no such value, `schemaMismatch` for null and nested columns.
    public func append(parsing text: UnsafeRawBufferPointer) throws(LanceError) {
        switch textForm {
        case .none: throw .schemaMismatch("text cannot be read as \(type)")
        case .bool: try append(bool: try need(ArrowText.parseBool(text), text))
        case .signed: try append(integer: try need(ArrowText.parseInteger(text, as: Int64.self), text))
        case .unsigned: try append(integer: try need(ArrowText.parseInteger(text, as: UInt64.self), text))
        case .float: try append(float: try need(ArrowText.parseFloat(text), text))
        case .float32: try append(float: Double(try need(ArrowText.parseFloat32(text), text)))
        case .decimal(let precision, let scale):
            try append(decimal: try need(ArrowText.parseDecimal(text, precision: precision, scale: scale), text))
        case .date32: try append(integer: try need(ArrowText.parseDate(text), text))
        case .date64:
            try append(integer: try need(ArrowText.parseTimestamp(text, unit: .millisecond, zone: .none), text))
        case .time(let unit): try append(integer: try need(ArrowText.parseTime(text, unit: unit), text))
        case .timestamp(let unit, let zone):
            try append(integer: try need(ArrowText.parseTimestamp(text, unit: unit, zone: zone), text))
        case .text:
            guard UTF8Validation.isValid(text) else { throw .invalidArgument("text that is not UTF-8") }
            try append(bytes: text)
        case .base64: try append(.bytes(try need(ArrowText.parseBase64(text), text)))
        }
    }

    /// Appends the value that `text` stands for; see ``append(parsing:)-(UnsafeRawBufferPointer)``.
    public func append(parsing text: String) throws(LanceError) {
        var text = text
        var failure: LanceError?
        text.withUTF8 { utf8 in
            do throws(LanceError) { try append(parsing: UnsafeRawBufferPointer(utf8)) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    @inline(__always)
    private func need<T>(_ value: T?, _ text: UnsafeRawBufferPointer) throws(LanceError) -> T {
        guard let value else { throw unreadable(text) }
        return value
    }

    @inline(never)
    private func unreadable(_ text: UnsafeRawBufferPointer) -> LanceError {
        let shown = String(decoding: text.prefix(60), as: UTF8.self)
        return .invalidArgument("\"\(shown)\(text.count > 60 ? "…" : "")\" is not a value of \(type)")
    }
}

extension ArrowText {
    /// `true` or `false` in any case, or `1` or `0`.
    public static func parseBool(_ text: UnsafeRawBufferPointer) -> Bool? {
        switch text.count {
        case 1: text[0] == UInt8(ascii: "1") ? true : text[0] == UInt8(ascii: "0") ? false : nil
        case 4: isWord(text, "true") ? true : nil
        case 5: isWord(text, "false") ? false : nil
        default: nil
        }
    }

    private static func isWord(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        // Setting bit 5 makes an ASCII letter small.
        (0..<text.count).allSatisfy { text[$0] | 0x20 == word.utf8Start[$0] }
    }
}
