import LancerArrow
import LancerBytes

/// Sums and differences of dates, timestamps and durations, and calendar steps.
enum TemporalKernels {
    /// The type of the result and the types the operands are brought to, or nil when the operation makes no sense.
    static func types(
        _ operation: Arithmetic,
        _ left: ArrowType,
        _ right: ArrowType
    ) -> (left: ArrowType, right: ArrowType, result: ArrowType)? {
        switch (left, operation, right) {
        case (.date32, .subtract, .date32): return (.date32, .date32, .int64)
        case (.date64, .subtract, .date32), (.date32, .subtract, .date64), (.date64, .subtract, .date64):
            return (.date64, .date64, .duration(.millisecond))
        case (.date32, .add, _) where right.isInteger, (.date32, .subtract, _) where right.isInteger:
            return (.date32, .int64, .date32)
        case (.timestamp, .subtract, .timestamp), (.timestamp, .subtract, .date32), (.timestamp, .subtract, .date64),
            (.date32, .subtract, .timestamp), (.date64, .subtract, .timestamp):
            guard let common = TypeCoercion.comparison(left, right), case .timestamp(let unit, _) = common else {
                return nil
            }
            return (common, common, .duration(unit))
        case (.timestamp(let unit, let zone), .add, .duration(let step)),
            (.timestamp(let unit, let zone), .subtract, .duration(let step)):
            let finer = Swift.max(unit, step)
            let result = ArrowType.timestamp(finer, timezone: zone)
            return (result, .duration(finer), result)
        case (.date32, .add, .duration(let unit)), (.date32, .subtract, .duration(let unit)),
            (.date64, .add, .duration(let unit)), (.date64, .subtract, .duration(let unit)):
            let result = ArrowType.timestamp(unit, timezone: nil)
            return (result, right, result)
        case (.duration, .add, .timestamp), (.duration, .add, .date32), (.duration, .add, .date64):
            guard let swapped = types(.add, right, left) else { return nil }
            return (swapped.right, swapped.left, swapped.result)
        case (.duration(let one), .add, .duration(let other)), (.duration(let one), .subtract, .duration(let other)):
            let finer = ArrowType.duration(Swift.max(one, other))
            return (finer, finer, finer)
        case (.duration, .multiply, _) where right.isInteger, (.duration, .divide, _) where right.isInteger:
            return (left, .int64, left)
        default: return nil
        }
    }

    static func apply(
        _ operation: Arithmetic,
        _ left: Operand,
        _ right: Operand,
        count: Int,
        type: ArrowType
    ) throws(LanceError) -> ArrowArray {
        // Days count as integers like the other units; only their memory is narrower.
        let one = Operand(array: try Casting.int64(left.array), isConstant: left.isConstant)
        let other = Operand(array: try Casting.int64(right.array), isConstant: right.isConstant)
        let validity = ArithmeticKernels.validity(one, other, count)
        let checked: (Int64, Int64) -> (partialValue: Int64, overflow: Bool) =
            switch operation {
            case .add: { $0.addingReportingOverflow($1) }
            case .subtract: { $0.subtractingReportingOverflow($1) }
            case .multiply: { $0.multipliedReportingOverflow(by: $1) }
            default: { $1 == 0 ? (0, true) : $0.dividedReportingOverflow(by: $1) }
            }
        let marks = try ArithmeticKernels.map(Int64.self, one, other, count) { checked($0, $1).overflow ? UInt8(1) : 0 }
        try ArithmeticKernels.refuse(marks, validity, count, "a date or length of time beyond what its type can hold")
        let values = try ArithmeticKernels.map(Int64.self, one, other, count) { checked($0, $1).partialValue }
        let sum = ArrowArray(type: .int64, length: count, validity: validity, storage: .fixedWidth(values))
        return try Casting.cast(sum, to: type, .checked, .empty)
    }

    /// Adds months (the day is kept, or becomes the last of a shorter month), days and time of day. Zoned timestamps
    /// step by their clock.
    static func add(
        _ interval: Interval,
        isNegated: Bool,
        to array: ArrowArray,
        _ context: EvaluationContext
    ) throws(LanceError) -> ArrowArray {
        let sign: Int64 = isNegated ? -1 : 1
        let unit: TimeUnit
        switch array.type {
        case .timestamp(let own, _): unit = own
        case .date64: unit = .millisecond
        default: unit = .second
        }
        let zone = try ZoneConversion(array.type, context)
        let perDay = 86400 * unit.perSecond
        let step = interval.nanoseconds / (1_000_000_000 / unit.perSecond)
        let isDays = array.type == .date32
        let source = try Casting.int64(array)
        return try Casting.mapInt64(source, to: array.type) { value -> Int64? in
            let local: Int64? = isDays ? exact(value.multipliedReportingOverflow(by: perDay)) : zone.local(value, unit)
            guard let local else { return nil }
            var date = CivilDate(days: local.floorDivided(by: perDay))
            let timeOfDay = local - local.floorDivided(by: perDay) * perDay
            let months = Int64(date.month - 1) + sign * interval.months
            date.year += months.floorDivided(by: 12)
            date.month = Int(months - months.floorDivided(by: 12) * 12) + 1
            while !date.isValid, date.day > 28 { date.day -= 1 }
            guard date.year.magnitude < 1_000_000_000 else { return nil }
            let days = date.days.addingReportingOverflow(sign * interval.days)
            guard !days.overflow, let start = exact(days.partialValue.multipliedReportingOverflow(by: perDay)),
                let moved = exact(start.addingReportingOverflow(timeOfDay))
            else { return nil }
            if isDays { return exact(moved.addingReportingOverflow(sign * step)).map { $0.floorDivided(by: perDay) } }
            return zone.instant(moved, unit).flatMap { exact($0.addingReportingOverflow(sign * step)) }
        }
    }
}

/// The result of a checked operation, or nil when it overflowed.
@inline(__always)
func exact<T>(_ result: (partialValue: T, overflow: Bool)) -> T? { result.overflow ? nil : result.partialValue }
