import LancerArrow
import LancerBytes

/// Arithmetic on integers and floats of one type.
///
/// Integers wrap around in their type; dividing one by zero is an error. Floats follow IEEE 754.
enum ArithmeticKernels {
    static func apply(
        _ operation: Arithmetic,
        _ left: Operand,
        _ right: Operand,
        count: Int
    ) throws(LanceError) -> ArrowArray {
        let validity = validity(left, right, count)
        let values: ArrowBuffer
        switch left.type {
        case .int8: values = try integers(Int8.self, operation, left, right, count, validity)
        case .int16: values = try integers(Int16.self, operation, left, right, count, validity)
        case .int32: values = try integers(Int32.self, operation, left, right, count, validity)
        case .int64: values = try integers(Int64.self, operation, left, right, count, validity)
        case .uint8: values = try integers(UInt8.self, operation, left, right, count, validity)
        case .uint16: values = try integers(UInt16.self, operation, left, right, count, validity)
        case .uint32: values = try integers(UInt32.self, operation, left, right, count, validity)
        case .uint64: values = try integers(UInt64.self, operation, left, right, count, validity)
        case .float32: values = try floats(Float.self, operation, left, right, count)
        case .float64: values = try floats(Double.self, operation, left, right, count)
        case .float16: values = try halves(operation, left, right, count)
        default: return ArrowArray.nulls(type: left.type, length: count)
        }
        return ArrowArray(type: left.type, length: count, validity: validity, storage: .fixedWidth(values))
    }

    /// Rows where neither operand is null, one bit a row of the result; nil when none is.
    static func validity(_ left: Operand, _ right: Operand, _ count: Int) -> Bitmap? {
        func own(_ operand: Operand) -> Bitmap? {
            if operand.isConstant, count != 1 || operand.array.length != 1 {
                return operand.array.isNull(0) ? Bitmap(repeating: false, count: count) : nil
            }
            return operand.array.validity
        }
        return Bitmap.intersection(own(left), own(right))
    }

    /// One value for each row.
    @inline(__always)
    static func map<T: BitwiseCopyable, R: BitwiseCopyable>(
        _ type: T.Type,
        _ left: Operand,
        _ right: Operand,
        _ count: Int,
        _ body: (T, T) -> R
    ) throws(LanceError) -> ArrowBuffer {
        try left.array.withValues(of: T.self) { one throws(LanceError) in
            try right.array.withValues(of: T.self) { other in
                ArrowBuffer(count: count * MemoryLayout<R>.stride) { bytes in
                    let target = bytes.bindMemory(to: R.self)
                    if right.isConstant {
                        let constant = other[0]
                        if left.isConstant {
                            let value = body(one[0], constant)
                            for row in 0..<count { target[row] = value }
                        } else {
                            for row in 0..<count { target[row] = body(one[row], constant) }
                        }
                    } else if left.isConstant {
                        let constant = one[0]
                        for row in 0..<count { target[row] = body(constant, other[row]) }
                    } else {
                        for row in 0..<count { target[row] = body(one[row], other[row]) }
                    }
                }
            }
        }
    }

    private static func integers<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type,
        _ operation: Arithmetic,
        _ left: Operand,
        _ right: Operand,
        _ count: Int,
        _ validity: Bitmap?
    ) throws(LanceError) -> ArrowBuffer {
        switch operation {
        case .add: return try map(type, left, right, count) { $0 &+ $1 }
        case .subtract: return try map(type, left, right, count) { $0 &- $1 }
        case .multiply: return try map(type, left, right, count) { $0 &* $1 }
        // The count of a shift is taken modulo the width.
        case .shiftLeft: return try map(type, left, right, count) { $0 &<< $1 }
        case .shiftRight: return try map(type, left, right, count) { $0 &>> $1 }
        case .bitAnd: return try map(type, left, right, count) { $0 & $1 }
        case .bitOr: return try map(type, left, right, count) { $0 | $1 }
        case .bitXor: return try map(type, left, right, count) { $0 ^ $1 }
        case .divide, .remainder: break
        }
        let zero = try map(type, left, right, count) { _, divisor in divisor == 0 ? UInt8(1) : 0 }
        try refuse(zero, validity, count, "division by zero")
        if operation == .remainder {
            return try map(type, left, right, count) { one, other in
                other == 0 ? 0 : one.remainderReportingOverflow(dividingBy: other).partialValue
            }
        }
        if T.isSigned {
            let overflow = try map(type, left, right, count) { one, other in
                one == .min && other == ~T(0) ? UInt8(1) : 0
            }
            try refuse(overflow, validity, count, "the quotient is larger than its type can hold")
        }
        return try map(type, left, right, count) { one, other in
            other == 0 ? 0 : one.dividedReportingOverflow(by: other).partialValue
        }
    }

    /// Throws when a row that is not null is marked.
    static func refuse(
        _ marks: ArrowBuffer,
        _ validity: Bitmap?,
        _ count: Int,
        _ message: String
    ) throws(LanceError) {
        let bad = marks.withUnsafeBytes { bytes in
            (0..<count).contains { row in bytes[row] != 0 && (validity.map { $0[row] } ?? true) }
        }
        if bad { throw .invalidArgument(message) }
    }

    private static func floats<T: BinaryFloatingPoint & BitwiseCopyable>(
        _ type: T.Type,
        _ operation: Arithmetic,
        _ left: Operand,
        _ right: Operand,
        _ count: Int
    ) throws(LanceError) -> ArrowBuffer {
        switch operation {
        case .add: return try map(type, left, right, count) { $0 + $1 }
        case .subtract: return try map(type, left, right, count) { $0 - $1 }
        case .multiply: return try map(type, left, right, count) { $0 * $1 }
        case .divide: return try map(type, left, right, count) { $0 / $1 }
        case .remainder: return try map(type, left, right, count) { $0.truncatingRemainder(dividingBy: $1) }
        default: throw .invalidArgument("\(operation.rawValue) works on integers only")
        }
    }

    private static func halves(
        _ operation: Arithmetic,
        _ left: Operand,
        _ right: Operand,
        _ count: Int
    ) throws(LanceError) -> ArrowBuffer {
        func half(_ body: (Float, Float) -> Float) throws(LanceError) -> ArrowBuffer {
            try map(UInt16.self, left, right, count) { one, other in
                HalfFloat.bits(Double(body(HalfFloat.value(one), HalfFloat.value(other))))
            }
        }
        switch operation {
        case .add: return try half { $0 + $1 }
        case .subtract: return try half { $0 - $1 }
        case .multiply: return try half { $0 * $1 }
        case .divide: return try half { $0 / $1 }
        case .remainder: return try half { $0.truncatingRemainder(dividingBy: $1) }
        default: throw .invalidArgument("\(operation.rawValue) works on integers only")
        }
    }

    /// The negated values; the smallest integer is its own negation.
    static func negate(_ array: ArrowArray) throws(LanceError) -> ArrowArray {
        func each<T: BitwiseCopyable>(_ type: T.Type, _ body: (T) -> T) throws(LanceError) -> ArrowArray {
            let operand = Operand(array: array)
            let values = try map(type, operand, operand, array.length) { one, _ in body(one) }
            let validity = array.validity
            return ArrowArray(type: array.type, length: array.length, validity: validity, storage: .fixedWidth(values))
        }
        switch array.type {
        case .int8: return try each(Int8.self) { 0 &- $0 }
        case .int16: return try each(Int16.self) { 0 &- $0 }
        case .int32: return try each(Int32.self) { 0 &- $0 }
        case .int64, .duration: return try each(Int64.self) { 0 &- $0 }
        case .float16: return try each(UInt16.self) { $0 ^ 0x8000 }
        case .float32: return try each(Float.self) { -$0 }
        case .float64: return try each(Double.self) { -$0 }
        case .decimal128: return try each(Int128.self) { 0 &- $0 }
        default: return array
        }
    }
}
