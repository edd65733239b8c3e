import LancerArrow
import LancerBytes

extension Casting {
    /// Text to numbers, booleans, dates and times.
    static func parse(
        _ array: ArrowArray,
        to type: ArrowType,
        _ mode: CastMode,
        _ context: EvaluationContext
    ) throws(LanceError) -> ArrowArray {
        switch type {
        case .bool: return try parseBooleans(array, mode)
        case .int8, .int16, .int32, .int64:
            return try castInteger(
                try each(array, .int64, mode) { ArrowText.parseInteger($0, as: Int64.self) },
                to: type,
                mode
            )
        case .uint8, .uint16, .uint32, .uint64:
            return try castInteger(
                try each(array, .uint64, mode) { ArrowText.parseInteger($0, as: UInt64.self) },
                to: type,
                mode
            )
        case .float64: return try each(array, type, mode) { ArrowText.parseFloat($0) }
        case .float32: return try each(array, type, mode) { ArrowText.parseFloat32($0) }
        case .float16: return try each(array, type, mode) { ArrowText.parseFloat($0).map { HalfFloat.bits($0) } }
        case .decimal128(let precision, let scale):
            return try each(array, type, mode) { bytes -> Int128? in
                guard let value = decimal(bytes, scale), value.magnitude < Int256.power(precision) else { return nil }
                return value.low128
            }
        case .decimal256(let precision, let scale):
            return try each(array, type, mode) { bytes -> Int256? in
                guard let value = decimal(bytes, scale), value.magnitude < Int256.power(precision) else { return nil }
                return value
            }
        case .date32: return try each(array, type, mode) { TemporalText.date($0).flatMap { Int32(exactly: $0) } }
        case .date64:
            return try each(array, type, mode) { bytes in
                TemporalText.date(bytes).flatMap { exact($0.multipliedReportingOverflow(by: 86_400_000)) }
            }
        case .timestamp(let unit, _):
            let zone = try ZoneConversion(type, context)
            return try each(array, type, mode) { TemporalText.count($0, unit, zone) }
        case .time32(let unit):
            return try each(array, type, mode) { ArrowText.parseTime($0, unit: unit).flatMap { Int32(exactly: $0) } }
        case .time64(let unit): return try each(array, type, mode) { ArrowText.parseTime($0, unit: unit) }
        default: throw .invalidArgument("text cannot become \(type.shortName)")
        }
    }

    /// Values of fixed width read from texts; nil does not fit.
    private static func each<T: BitwiseCopyable>(
        _ array: ArrowArray,
        _ type: ArrowType,
        _ mode: CastMode,
        _ body: (UnsafeRawBufferPointer) -> T?
    ) throws(LanceError) -> ArrowArray {
        defer { withExtendedLifetime(array) {} }
        let texts = try ByteColumn(Operand(array: array))
        var failed: [Int] = []
        let values = ArrowBuffer(count: array.length * MemoryLayout<T>.stride) { bytes in
            _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
            let target = bytes.bindMemory(to: T.self)
            for row in 0..<array.length where !array.isNull(row) {
                if let value = body(texts[row]) { target[row] = value } else { failed.append(row) }
            }
        }
        let validity = try validity(of: array, failed, type, mode == .saturating ? .checked : mode)
        return ArrowArray(type: type, length: array.length, validity: validity, storage: .fixedWidth(values))
    }

    private static func parseBooleans(_ array: ArrowArray, _ mode: CastMode) throws(LanceError) -> ArrowArray {
        let numbers = try each(array, .uint8, mode) { bytes -> UInt8? in
            switch String(decoding: bytes, as: UTF8.self).lowercased() {
            case "t", "tr", "tru", "true", "y", "ye", "yes", "on", "1": 1
            case "f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0": 0
            default: nil
            }
        }
        return try castInteger(numbers, to: .bool, mode)
    }

    /// A decimal with `scale` digits, rounded half away from zero.
    private static func decimal(_ bytes: UnsafeRawBufferPointer, _ scale: Int) -> Int256? {
        if let value = ArrowText.parseDecimal(bytes, precision: 76, scale: scale) { return value }
        // More digits than the scale: read them all, then round.
        let digits = bytes.count(where: { (0x30...0x39).contains($0) })
        guard digits <= 76, let value = ArrowText.parseDecimal(bytes, precision: 76, scale: scale + digits) else {
            return nil
        }
        return Decimal(value, scale: scale + digits).rescaled(to: scale)
    }

    // MARK: To text

    /// Values as text.
    static func format(
        _ array: ArrowArray,
        as type: ArrowType,
        _ context: EvaluationContext
    ) throws(LanceError) -> ArrowArray {
        let builder = ColumnBuilder(type)
        let zone = try ZoneConversion(array.type, context)
        for row in 0..<array.length {
            if array.isNull(row) {
                builder.appendNull()
                continue
            }
            try builder.append(text: text(array, row, zone))
        }
        return builder.finish()
    }

    private static func text(_ array: ArrowArray, _ row: Int, _ zone: ZoneConversion) -> String {
        let value = array.value(at: row)
        switch (array.type, value) {
        case (.float64, .float(let number)): return FloatCast.text(number.description, number)
        case (.float32, .float(let number)): return FloatCast.text(Float(number).description, number)
        case (.float16, .float(let number)): return FloatCast.text(HalfFloat.text(HalfFloat.bits(number)), number)
        case (.timestamp(let unit, let name), .int(let count)):
            return timestamp(count, unit, zone, isZoned: name != nil)
        case (.time32(let unit), .int(let count)), (.time64(let unit), .int(let count)):
            return timeOfDay(count, unit)
        default: return array.formatted(at: row, style: .cell)
        }
    }

    /// `2020-01-02T03:04:05`, a fraction of three, six or nine digits where there is one, and `Z` or the offset.
    private static func timestamp(_ value: Int64, _ unit: TimeUnit, _ zone: ZoneConversion, isZoned: Bool) -> String {
        let local = zone.local(value, unit) ?? value
        let perDay = 86400 * unit.perSecond
        let days = local.floorDivided(by: perDay)
        var text = BufferBuilder()
        ArrowText.append(date: days, to: &text)
        var result = String(decoding: text.finish().bytes, as: UTF8.self)
        result += "T" + timeOfDay(local - days * perDay, unit)
        guard isZoned else { return result }
        let minutes = zone.offset(value, unit) / 60
        if minutes == 0 { return result + "Z" }
        return result + (minutes < 0 ? "-" : "+") + twoDigits(Int64(abs(minutes) / 60)) + ":"
            + twoDigits(Int64(abs(minutes) % 60))
    }

    private static func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

    private static func timeOfDay(_ value: Int64, _ unit: TimeUnit) -> String {
        let seconds = value / unit.perSecond
        let result = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { twoDigits($0) }.joined(separator: ":")
        var fraction = value % unit.perSecond * (1_000_000_000 / unit.perSecond)
        if fraction == 0 { return result }
        var digits = 9
        while digits > 3, fraction % 1000 == 0 {
            fraction /= 1000
            digits -= 3
        }
        let text = String(fraction)
        return result + "." + String(repeating: "0", count: digits - text.count) + text
    }
}

/// Floats as text: digits with a point up to 16 places, else with an exponent.
enum FloatCast {
    /// - Parameter shortest: The shortest digits that read back, in any notation.
    static func text(_ shortest: String, _ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let sign = value.sign == .minus ? "-" : ""
        let parts = shortest.drop { $0 == "-" }.split(separator: "e")
        let number = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = number.count > 1 && number[1] != "0" ? String(number[1]) : ""
        var digits = String(number[0]) + fraction
        // The value is 0.digits * 10^point.
        var point = number[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        let leading = digits.prefix { $0 == "0" }.count
        if leading == digits.count { return sign + "0.0" }
        digits.removeFirst(leading)
        point -= leading
        while digits.last == "0" { digits.removeLast() }
        if point > 16 || point < -4 {
            let rest = digits.dropFirst()
            return sign + String(digits.prefix(1)) + (rest.isEmpty ? "" : "." + rest) + "e\(point - 1)"
        }
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if point >= digits.count { return sign + digits + String(repeating: "0", count: point - digits.count) + ".0" }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }
}
