import LancerArrow
import LancerBytes

/// A function: what it takes, what it gives, and how it is computed.
struct FunctionSignature: Sendable {
    /// Name and arguments, for messages.
    let usage: String
    /// Whether some values are errors.
    let canFail: Bool
    /// The types the arguments are brought to and the type of the result; nil when they do not fit.
    let resolve: @Sendable ([ArrowType]) -> (parameters: [ArrowType], result: ArrowType)?
    let body: @Sendable (FunctionArguments) throws(LanceError) -> ArrowArray
}

/// All functions, by name.
enum FunctionCatalog {
    /// Which values a parameter takes.
    enum Parameter: Sendable {
        /// Text of either kind, kept.
        case text
        /// Anything that can be written as text.
        case anyAsText
        /// Text or binary, kept.
        case bytes
        /// Integers, as int64.
        case integer
        /// Numbers, as float64.
        case double
        /// Numbers, floats kept, others as float64.
        case float
        /// Dates and timestamps, kept.
        case moment
        case any

        func type(for given: ArrowType) -> ArrowType? {
            switch self {
            case .text: given.isText ? given : given == .null ? .utf8 : nil
            case .anyAsText: given.isText ? given : Casting.isPossible(given, .utf8) ? .utf8 : nil
            case .bytes: given.isBytes ? given : given == .null ? .utf8 : nil
            case .integer: given.isInteger || given == .null ? .int64 : nil
            case .double: given.isNumeric || given == .null ? .float64 : nil
            case .float:
                given == .float32 || given == .float16 ? given : given.isNumeric || given == .null ? .float64 : nil
            case .moment:
                switch given {
                case .date32, .date64, .timestamp: given
                case .utf8, .largeUtf8, .null: .timestamp(.nanosecond, timezone: nil)
                default: nil
                }
            case .any: given
            }
        }
    }

    enum Result: Sendable {
        case type(ArrowType)
        /// The type of an argument.
        case argument(Int)
    }

    /// Names that are functions also without parentheses, unless there is such a column.
    static let wordsWithoutParentheses: Set<String> = ["current_date", "current_timestamp", "current_time"]

    /// Functions over many rows, which expressions do not have.
    static let aggregates: Set<String> = [
        "count", "sum", "avg", "min", "max", "median", "stddev", "variance", "array_agg", "row_number", "rank",
    ]

    /// Whether the function gives something else each time or needs a clock, and so must not be computed beforehand.
    static func isVolatile(_ name: String) -> Bool {
        ["now", "current_timestamp", "current_date", "today", "current_time", "random"].contains(name)
    }

    /// A function with fixed parameters, the last `optional` of which may be left out.
    static func function(
        _ usage: String,
        _ parameters: [Parameter],
        optional: Int = 0,
        repeatsLast: Bool = false,
        canFail: Bool = false,
        _ result: Result,
        _ body: @escaping @Sendable (FunctionArguments) throws(LanceError) -> ArrowArray
    ) -> FunctionSignature {
        FunctionSignature(
            usage: usage,
            canFail: canFail,
            resolve: { given in
                guard given.count >= parameters.count - optional, repeatsLast || given.count <= parameters.count else {
                    return nil
                }
                var types: [ArrowType] = []
                for (index, type) in given.enumerated() {
                    let parameter = index < parameters.count ? parameters[index] : parameters[parameters.count - 1]
                    guard let wanted = parameter.type(for: type) else { return nil }
                    types.append(wanted)
                }
                switch result {
                case .type(let type): return (types, type)
                case .argument(let index): return index < types.count ? (types, types[index]) : nil
                }
            },
            body: body
        )
    }

    static let functions: [String: FunctionSignature] = {
        var all: [String: FunctionSignature] = [:]
        for group in [text, regex, math, time, lists, general] {
            for (names, signature) in group {
                for name in names { all[name] = signature }
            }
        }
        return all
    }()
}

extension FunctionArguments {
    /// The texts of an argument.
    func texts(_ index: Int) throws(LanceError) -> ByteColumn { try ByteColumn(operands[index]) }

    func isNull(_ row: Int) -> Bool { operands.contains { $0.isNull(row) } }

    /// Builds the result row by row; rows with a null argument are null.
    func rows(
        _ body: (Int, ColumnBuilder) throws(LanceError) -> Void
    ) throws(LanceError) -> ArrowArray {
        defer { withExtendedLifetime(operands) {} }
        let builder = ColumnBuilder(type)
        builder.reserve(rowCount)
        for row in 0..<rowCount {
            if isNull(row) { builder.appendNull() } else { try body(row, builder) }
        }
        return builder.finish()
    }

    /// A boolean for each row; rows with a null argument are null.
    func truths(_ body: (Int) throws(LanceError) -> Bool) throws(LanceError) -> ArrowArray {
        defer { withExtendedLifetime(operands) {} }
        let builder = ColumnBuilder(.bool)
        for row in 0..<rowCount {
            if isNull(row) { builder.appendNull() } else { try builder.append(bool: try body(row)) }
        }
        return builder.finish()
    }

    /// The argument as one value a row.
    func expanded(_ index: Int) throws(LanceError) -> ArrowArray { try operands[index].expanded(to: rowCount) }
}

/// Values of fixed width of an operand, loaded one by one.
struct FixedColumn<T: BitwiseCopyable> {
    private let base: UnsafeRawPointer
    private let isConstant: Bool

    /// - Throws: `schemaMismatch` when the values have another size. The operand must live as long as this is used.
    init(_ operand: Operand) throws(LanceError) {
        guard case .fixedWidth(let values) = operand.array.storage, operand.type.byteWidth == MemoryLayout<T>.size
        else {
            throw .schemaMismatch("\(operand.type) does not hold values of \(MemoryLayout<T>.size) bytes")
        }
        base = values.start
        isConstant = operand.isConstant
    }

    @inline(__always)
    subscript(row: Int) -> T {
        base.loadUnaligned(fromByteOffset: (isConstant ? 0 : row) &* MemoryLayout<T>.size, as: T.self)
    }
}
