import LancerArrow
import LancerBytes

/// Arithmetic on 128-bit decimals.
///
/// The scale of a sum is the larger of the two, of a product their sum, of a quotient four digits more than the
/// dividend's (cut off, not rounded). What needs more than 38 digits is an error.
enum DecimalKernels {
    /// The type of the result, or nil when it needs more digits than there are.
    static func resultType(
        _ operation: Arithmetic,
        _ left: (precision: Int, scale: Int),
        _ right: (precision: Int, scale: Int)
    ) -> ArrowType? {
        let whole = Swift.max(left.precision - left.scale, right.precision - right.scale)
        let scale: Int
        let precision: Int
        switch operation {
        case .add, .subtract:
            scale = Swift.max(left.scale, right.scale)
            precision = whole + scale + 1
        case .multiply:
            scale = left.scale + right.scale
            precision = left.precision + right.precision + 1
        case .divide:
            scale = Swift.min(left.scale + 4, 38)
            precision = left.precision + scale - left.scale + right.scale
        case .remainder:
            scale = Swift.max(left.scale, right.scale)
            precision = Swift.min(left.precision - left.scale, right.precision - right.scale) + scale
        default: return nil
        }
        return scale <= 38 ? .decimal128(precision: Swift.max(1, Swift.min(38, precision)), scale: scale) : nil
    }

    static func apply(
        _ operation: Arithmetic,
        _ left: Operand,
        _ right: Operand,
        count: Int,
        type: ArrowType
    ) throws(LanceError) -> ArrowArray {
        guard case .decimal128(_, let leftScale) = left.type, case .decimal128(_, let rightScale) = right.type,
            case .decimal128(_, let scale) = type
        else { throw .invalidArgument("decimal arithmetic on \(left.type) and \(right.type)") }
        let validity = ArithmeticKernels.validity(left, right, count)
        var failure: String?
        /// Both values brought to one scale, or the dividend to that of quotient and divisor.
        let leftShift = operation == .divide ? scale + rightScale - leftScale : Swift.max(rightScale - leftScale, 0)
        let rightShift = operation == .divide ? 0 : Swift.max(leftScale - rightScale, 0)
        let isProduct = operation == .multiply
        guard let leftFactor = isProduct ? 1 : power(leftShift), let rightFactor = isProduct ? 1 : power(rightShift)
        else { throw overflow }
        var row = 0
        let values = try ArithmeticKernels.map(Int128.self, left, right, count) { one, other in
            defer { row += 1 }
            let isValid = validity.map { $0[Swift.min(row, $0.count - 1)] } ?? true
            guard isValid else { return Int128(0) }
            let (first, tooLarge) = one.multipliedReportingOverflow(by: leftFactor)
            let (second, alsoTooLarge) = other.multipliedReportingOverflow(by: rightFactor)
            var result = (partialValue: Int128(0), overflow: false)
            switch operation {
            case .add: result = first.addingReportingOverflow(second)
            case .subtract: result = first.subtractingReportingOverflow(second)
            case .multiply: result = first.multipliedReportingOverflow(by: second)
            case .divide where second != 0: result = first.dividedReportingOverflow(by: second)
            case .remainder where second != 0: result = first.remainderReportingOverflow(dividingBy: second)
            default: failure = "division by zero"
            }
            if tooLarge || alsoTooLarge || result.overflow { failure = failure ?? overflow.message }
            return result.partialValue
        }
        if let failure { throw .invalidArgument(failure) }
        return ArrowArray(type: type, length: count, validity: validity, storage: .fixedWidth(values))
    }

    private static var overflow: LanceError { .invalidArgument("a decimal needs more than 38 digits") }

    /// 10 to the power of `exponent`, or nil when it needs more than 38 digits.
    static func power(_ exponent: Int) -> Int128? {
        guard (0...38).contains(exponent) else { return nil }
        var result: Int128 = 1
        for _ in 0..<exponent { result *= 10 }
        return result
    }
}
