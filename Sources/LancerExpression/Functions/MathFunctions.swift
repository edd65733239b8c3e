import LancerArrow
import LancerBytes

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension FunctionCatalog {
    static let math: [([String], FunctionSignature)] = [
        (["abs"], absolute),
        (["round"], rounded("round(number[, digits])", .toNearestOrAwayFromZero)),
        (["trunc"], rounded("trunc(number[, digits])", .towardZero)),
        (["floor"], real("floor(number)") { $0.rounded(.down) }),
        (["ceil", "ceiling"], real("ceil(number)") { $0.rounded(.up) }),
        (["sqrt"], real("sqrt(number)") { $0.squareRoot() }),
        (["cbrt"], real("cbrt(number)") { cbrt($0) }),
        (["exp"], real("exp(number)") { exp($0) }),
        (["ln"], real("ln(number)") { log($0) }),
        (["log10"], real("log10(number)") { log10($0) }),
        (["log2"], real("log2(number)") { log2($0) }),
        (["sin"], real("sin(number)") { sin($0) }),
        (["cos"], real("cos(number)") { cos($0) }),
        (["tan"], real("tan(number)") { tan($0) }),
        (["asin"], real("asin(number)") { asin($0) }),
        (["acos"], real("acos(number)") { acos($0) }),
        (["atan"], real("atan(number)") { atan($0) }),
        (["degrees"], real("degrees(number)") { $0 * 180 / .pi }),
        (["radians"], real("radians(number)") { $0 / 180 * .pi }),
        (["signum"], real("signum(number)") { $0.isNaN ? .nan : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }),
        (["power", "pow"], pair("power(base, exponent)") { pow($0, $1) }),
        (["atan2"], pair("atan2(y, x)") { atan2($0, $1) }),
        (
            ["log"],
            function("log([base, ]number)", [.double, .double], optional: 1, .type(.float64)) {
                arguments throws(LanceError) in
                let first = try FixedColumn<Double>(arguments[0])
                let second = try arguments.count > 1 ? FixedColumn<Double>(arguments[1]) : nil
                return try arguments.rows { row, builder throws(LanceError) in
                    builder.append(raw: second.map { log($0[row]) / log(first[row]) } ?? log10(first[row]))
                }
            }
        ),
        (
            ["pi"],
            function("pi()", [], .type(.float64)) { arguments in
                .float64([Double?](repeating: .pi, count: arguments.rowCount))
            }
        ),
        (["isnan"], asked("isnan(number)") { $0.isNaN }),
        (["iszero"], asked("iszero(number)") { $0 == 0 }),
        (
            ["nanvl"],
            function("nanvl(number, other)", [.double, .double], .type(.float64)) { arguments throws(LanceError) in
                let first = try FixedColumn<Double>(arguments[0])
                let second = try FixedColumn<Double>(arguments[1])
                return try arguments.rows { row, builder in
                    builder.append(raw: first[row].isNaN ? second[row] : first[row])
                }
            }
        ),
        (["gcd"], integers("gcd(number, number)") { one, other throws(LanceError) in try divisor(one, other) }),
        (
            ["lcm"],
            integers("lcm(number, number)") { one, other throws(LanceError) in
                if one == 0 || other == 0 { return 0 }
                let common = try divisor(one, other)
                guard let result = exact((one / common).multipliedReportingOverflow(by: other)), result != .min else {
                    throw .invalidArgument("lcm(\(one), \(other)) does not fit int64")
                }
                return abs(result)
            }
        ),
        (
            ["factorial"],
            function("factorial(number)", [.integer], canFail: true, .type(.int64)) { arguments throws(LanceError) in
                let numbers = try FixedColumn<Int64>(arguments[0])
                return try arguments.rows { row, builder throws(LanceError) in
                    guard numbers[row] <= 20 else {
                        throw .invalidArgument("factorial(\(numbers[row])) does not fit int64")
                    }
                    var result: Int64 = 1
                    for factor in stride(from: 2, through: numbers[row], by: 1) { result *= factor }
                    builder.append(raw: result)
                }
            }
        ),
        (
            ["random"],
            function("random()", [], .type(.float64)) { arguments in
                .float64((0..<arguments.rowCount).map { _ in Double.random(in: 0..<1) })
            }
        ),
    ]

    private static func divisor(_ one: Int64, _ other: Int64) throws(LanceError) -> Int64 {
        var (large, small) = (one.magnitude, other.magnitude)
        while small != 0 { (large, small) = (small, large % small) }
        guard let result = Int64(exactly: large) else {
            throw .invalidArgument("gcd(\(one), \(other)) does not fit int64")
        }
        return result
    }

    /// A function of one float; the result has its width.
    private static func real(_ usage: String, _ body: @escaping @Sendable (Double) -> Double) -> FunctionSignature {
        function(usage, [.float], .argument(0)) { arguments throws(LanceError) in
            let array = arguments[0].array
            let doubles = try Casting.cast(array, to: .float64, .saturating, arguments.context)
            let result = try Casting.convert(doubles, Double.self, to: .float64, .saturating) { (body($0), true) }
            return try sized(try Casting.castFloat(result, to: arguments.type, .saturating), arguments)
        }
    }

    /// The result for one constant, or for each row.
    private static func sized(_ array: ArrowArray, _ arguments: FunctionArguments) throws(LanceError) -> ArrowArray {
        try Operand(array: array, isConstant: array.length != arguments.rowCount).expanded(to: arguments.rowCount)
    }

    private static func pair(
        _ usage: String,
        _ body: @escaping @Sendable (Double, Double) -> Double
    ) -> FunctionSignature {
        function(usage, [.double, .double], .type(.float64)) { arguments throws(LanceError) in
            let first = try FixedColumn<Double>(arguments[0])
            let second = try FixedColumn<Double>(arguments[1])
            return try arguments.rows { row, builder in builder.append(raw: body(first[row], second[row])) }
        }
    }

    private static func asked(_ usage: String, _ body: @escaping @Sendable (Double) -> Bool) -> FunctionSignature {
        function(usage, [.double], .type(.bool)) { arguments throws(LanceError) in
            let numbers = try FixedColumn<Double>(arguments[0])
            return try arguments.truths { row in body(numbers[row]) }
        }
    }

    private static func integers(
        _ usage: String,
        _ body: @escaping @Sendable (Int64, Int64) throws(LanceError) -> Int64
    ) -> FunctionSignature {
        function(usage, [.integer, .integer], canFail: true, .type(.int64)) { arguments throws(LanceError) in
            let first = try FixedColumn<Int64>(arguments[0])
            let second = try FixedColumn<Int64>(arguments[1])
            return try arguments.rows { row, builder throws(LanceError) in
                builder.append(raw: try body(first[row], second[row]))
            }
        }
    }

    /// The distance from zero in the number's own type; the smallest integer has none.
    private static let absolute = FunctionSignature(
        usage: "abs(number)",
        canFail: true,
        resolve: { given in
            guard given.count == 1, given[0].isNumeric && !given[0].isWideDecimal || given[0] == .null else {
                return nil
            }
            let type: ArrowType = given[0] == .null ? .float64 : given[0]
            return ([type], type)
        },
        body: { arguments throws(LanceError) in
            let array = arguments[0].array
            func each<T: SignedInteger & FixedWidthInteger & BitwiseCopyable>(
                _ type: T.Type
            ) throws(LanceError) -> ArrowArray {
                try Casting.convert(array, type, to: array.type, .checked) { value in
                    value == .min ? (value, false) : (Swift.abs(value), true)
                }
            }
            let result: ArrowArray
            switch array.type {
            case .int8: result = try each(Int8.self)
            case .int16: result = try each(Int16.self)
            case .int32: result = try each(Int32.self)
            case .int64: result = try each(Int64.self)
            case .decimal128: result = try each(Int128.self)
            case .float64:
                result = try Casting.convert(array, Double.self, to: array.type, .checked) { ($0.magnitude, true) }
            case .float32:
                result = try Casting.convert(array, Float.self, to: array.type, .checked) { ($0.magnitude, true) }
            case .float16:
                result = try Casting.convert(array, UInt16.self, to: array.type, .checked) { ($0 & 0x7FFF, true) }
            default: result = array
            }
            return try sized(result, arguments)
        }
    )

    private static func rounded(_ usage: String, _ rule: FloatingPointRoundingRule) -> FunctionSignature {
        function(usage, [.float, .integer], optional: 1, .argument(0)) { arguments throws(LanceError) in
            let numbers = try Casting.cast(arguments[0].array, to: .float64, .saturating, arguments.context)
            let operand = Operand(array: numbers, isConstant: arguments[0].isConstant)
            let values = try FixedColumn<Double>(operand)
            let digits = try arguments.count > 1 ? FixedColumn<Int64>(arguments[1]) : nil
            var result: [Double?] = []
            for row in 0..<arguments.rowCount {
                if arguments.isNull(row) {
                    result.append(nil)
                    continue
                }
                let places = digits.map { Int(clamping: $0[row]) } ?? 0
                if places == 0 || places.magnitude > 300 {
                    result.append(places < 0 ? 0 : places == 0 ? values[row].rounded(rule) : values[row])
                    continue
                }
                let factor = pow(10, Double(places.magnitude))
                let value = places > 0 ? values[row] * factor : values[row] / factor
                let whole = value.rounded(rule)
                result.append(places > 0 ? whole / factor : whole * factor)
            }
            withExtendedLifetime((operand, arguments.operands)) {}
            return try Casting.castFloat(.float64(result), to: arguments.type, .saturating)
        }
    }
}
