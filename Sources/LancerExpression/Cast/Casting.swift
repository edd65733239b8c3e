import LancerArrow
import LancerBytes

/// Conversions between types, as CAST and the widening before operators make them.
///
/// Floats lose their fraction on the way to integers, decimals and text round half away from zero; numbers, dates and
/// text that the target cannot hold are errors, nulls or the nearest value (``CastMode``).
enum Casting {
    /// Whether there is a conversion at all.
    static func isPossible(_ from: ArrowType, _ to: ArrowType) -> Bool {
        if from == to || from == .null { return true }
        if case .dictionary(_, let value, _) = from { return isPossible(value, to) }
        if let one = from.listItem, let other = to.listItem { return isPossible(one.type, other.type) }
        if case .structure(let one) = from, case .structure(let other) = to {
            return one.count == other.count
                && zip(one, other).allSatisfy { $0.name == $1.name && isPossible($0.type, $1.type) }
        }
        if from.isBytes, to.isBytes { return true }
        let isNumber = from.isNumeric || from == .bool
        if isNumber, to.isNumeric || to == .bool || to.isText { return true }
        if from.isInteger, to.isTemporal || to == .binary { return true }
        if from.isText { return to.isNumeric || to == .bool || to.isTemporal && !to.isDuration }
        guard from.isTemporal else { return false }
        if to.isText || to.isInteger { return true }
        switch (from, to) {
        case (.date32, .date64), (.date64, .date32), (.date32, .timestamp), (.date64, .timestamp),
            (.timestamp, .date32),
            (.timestamp, .date64), (.timestamp, .timestamp), (.timestamp, .time32), (.timestamp, .time64),
            (.time32, .time32), (.time32, .time64), (.time64, .time32), (.time64, .time64), (.duration, .duration):
            return true
        default: return false
        }
    }

    /// Whether every value has its like in the target, so that nothing can fail.
    static func isLossless(_ from: ArrowType, _ to: ArrowType) -> Bool {
        if from == to || from == .null { return true }
        if case .dictionary(_, let value, _) = from { return isLossless(value, to) }
        if to.isText { return from != .null && !from.isBytes || from.isText && to == .largeUtf8 }
        if to.isFloat { return from.isInteger || from.isFloat || from == .bool || from.isDecimal }
        if to == .bool { return from.isNumeric }
        if from == .bool { return to.isInteger }
        guard from.isInteger, to.isInteger, let fromBits = from.bitWidth, let toBits = to.bitWidth else { return false }
        if from.isSignedInteger == to.isSignedInteger { return fromBits <= toBits }
        return !from.isSignedInteger && fromBits < toBits
    }

    /// Converts an array.
    ///
    /// - Throws: `invalidArgument` for values that do not fit (mode `checked`) and types without a conversion.
    static func cast(
        _ array: ArrowArray,
        to type: ArrowType,
        _ mode: CastMode,
        _ context: EvaluationContext
    ) throws(LanceError) -> ArrowArray {
        let from = array.type
        if from == type { return array }
        if from == .null { return ArrowArray.nulls(type: type, length: array.length) }
        if case .dictionary(let indices, let values) = array.storage {
            let plain = try decoded(array, indices, values)
            return try cast(plain, to: type, mode, context)
        }
        if case .dictionary = type {
            return try .of(type, (0..<array.length).map { array.value(at: $0) })
        }
        if from.listItem != nil, type.listItem != nil { return try castList(array, to: type, mode, context) }
        if case .structure(let children) = array.storage, case .structure(let fields) = type {
            return try castStruct(array, children, fields, to: type, mode, context)
        }
        if from.isBytes, type.isBytes { return try castBytes(array, to: type, mode) }
        if type.isText { return try format(array, as: type, context) }
        if from.isText { return try parse(array, to: type, mode, context) }
        if case .boolean(let bits) = array.storage {
            let numbers = ArrowArray(
                type: .int64,
                length: array.length,
                validity: array.validity,
                storage: .fixedWidth(ArrowBuffer((0..<array.length).map { bits[$0] ? Int64(1) : 0 }))
            )
            return try cast(numbers, to: type, mode, context)
        }
        if from.isTemporal, type.isTemporal { return try castTemporal(array, to: type, mode, context) }
        if from.isInteger || from.isTemporal, type.isTemporal || type.isNumeric || type == .bool {
            return try castInteger(array, to: type, mode)
        }
        if from.isInteger, type == .binary { return try integerBytes(array) }
        if from.isFloat { return try castFloat(array, to: type, mode) }
        if from.isDecimal { return try castDecimal(array, to: type, mode) }
        throw .invalidArgument("\(from.shortName) cannot become \(type.shortName)")
    }

    /// An operand in the type of what it is compared with.
    static func matching(
        _ operand: Operand,
        _ type: ArrowType,
        _ context: EvaluationContext
    ) throws(LanceError) -> Operand {
        if operand.type == type || operand.type.isBytes && type.isBytes { return operand }
        let mode: CastMode = operand.type.isText ? .checked : .saturating
        return Operand(array: try cast(operand.array, to: type, mode, context), isConstant: operand.isConstant)
    }

    /// Converts value by value; the body returns the nearest value there is and whether it is the one meant.
    @inline(__always)
    static func convert<S: BitwiseCopyable, D: BitwiseCopyable>(
        _ array: ArrowArray,
        _ source: S.Type,
        to type: ArrowType,
        _ mode: CastMode,
        _ body: (S) -> (D, Bool)
    ) throws(LanceError) -> ArrowArray {
        var failed: [Int] = []
        let values = try array.withValues(of: S.self) { values in
            ArrowBuffer(count: array.length * MemoryLayout<D>.stride) { bytes in
                let target = bytes.bindMemory(to: D.self)
                for row in 0..<array.length {
                    let (value, fits) = body(values[row])
                    target[row] = value
                    if !fits { failed.append(row) }
                }
            }
        }
        let validity = try Self.validity(of: array, failed, type, mode)
        return ArrowArray(type: type, length: array.length, validity: validity, storage: .fixedWidth(values))
    }

    /// The nulls of a converted array, with the rows that could not be converted added in mode `try`.
    static func validity(
        of array: ArrowArray,
        _ failed: [Int],
        _ type: ArrowType,
        _ mode: CastMode
    ) throws(LanceError) -> Bitmap? {
        if failed.isEmpty || mode == .saturating { return array.validity }
        let bad = failed.filter { !array.isNull($0) }
        guard let first = bad.first else { return array.validity }
        if mode == .checked {
            let text = array.formatted(at: first, style: .cell)
            throw .invalidArgument(
                "the value \(text.prefix(60)) of type \(array.type.shortName) does not fit \(type.shortName)"
            )
        }
        var words = BitWords.validity(array) ?? BitWords.repeating(true, count: array.length)
        for row in bad { words[row >> 6] &= ~(1 << UInt64(row & 63)) }
        return BitWords.bitmap(words, count: array.length)
    }

    private static func decoded(
        _ array: ArrowArray,
        _ indices: ArrowBuffer,
        _ values: ArrowArray
    ) throws(LanceError) -> ArrowArray {
        let width = array.type.byteWidth ?? 4
        var rows = [Int](repeating: -1, count: array.length)
        for row in 0..<array.length where !array.isNull(row) {
            rows[row] = indices.dictionaryIndex(at: row, width: width)
        }
        return try values.gather(rows)
    }
}

extension ArrowType {
    var isDuration: Bool {
        if case .duration = self { return true }
        return false
    }
}
