import LancerArrow
import LancerBytes

/// Comparisons of two operands of one type (text and binary of all kinds count as one).
enum ComparisonKernels {
    /// Compares row by row; null where either side is.
    ///
    /// - Throws: `invalidArgument` when the types have no order in common.
    static func compare(
        _ comparison: Comparison,
        _ left: Operand,
        _ right: Operand,
        _ count: Int,
        joinsZeros: Bool
    ) throws(LanceError) -> Truth {
        if left.isConstant, left.array.isNull(0) { return Truth(repeating: nil, count: count) }
        if right.isConstant, right.array.isNull(0) { return Truth(repeating: nil, count: count) }
        if left.isConstant, right.isConstant {
            let pair = try compare(
                comparison,
                Operand(array: left.array),
                Operand(array: right.array),
                1,
                joinsZeros: joinsZeros
            )
            return Truth(repeating: pair.isTrue[0] & 1 == 1, count: count)
        }
        if left.isConstant {
            return try compare(comparison.flipped, right, left, count, joinsZeros: joinsZeros)
        }
        let bits = try bits(comparison, left, right, count, joinsZeros)
        return Truth(bits, valid: validity(left, right), count: count)
    }

    /// Rows where neither is null; nil when there are no nulls. A constant is not null here.
    private static func validity(_ left: Operand, _ right: Operand) -> [UInt64]? {
        let one = left.isConstant ? nil : BitWords.validity(left.array)
        let other = right.isConstant ? nil : BitWords.validity(right.array)
        guard let one else { return other }
        guard let other else { return one }
        return BitWords.combine(one, other) { $0 & $1 }
    }

    private static func bits(
        _ comparison: Comparison,
        _ left: Operand,
        _ right: Operand,
        _ count: Int,
        _ joinsZeros: Bool
    ) throws(LanceError) -> [UInt64] {
        if left.type.isBytes, right.type.isBytes { return try compareBytes(comparison, left, right, count) }
        if left.type == right.type {
            if case .null = left.type { return BitWords.repeating(false, count: count) }
            if case .bool = left.type { return compareBooleans(comparison, left, right, count) }
            let visitor = FixedComparison(
                comparison: comparison,
                left: left,
                right: right,
                count: count,
                joinsZeros: joinsZeros
            )
            if let result = try left.type.visit(visitor) { return result }
        }
        let order = try NestedOrder(left.type, right.type)
        return try compareNested(comparison, left, right, count, order)
    }

    private static func compareBooleans(
        _ comparison: Comparison,
        _ left: Operand,
        _ right: Operand,
        _ count: Int
    ) -> [UInt64] {
        let one = Truth(left, count: count).isTrue
        let other = Truth(right, count: count).isTrue
        return switch comparison {
        case .equal: BitWords.combine(one, other) { ~($0 ^ $1) }
        case .notEqual: BitWords.combine(one, other) { $0 ^ $1 }
        case .less: BitWords.combine(one, other) { ~$0 & $1 }
        case .lessOrEqual: BitWords.combine(one, other) { ~$0 | $1 }
        case .greater: BitWords.combine(one, other) { $0 & ~$1 }
        case .greaterOrEqual: BitWords.combine(one, other) { $0 | ~$1 }
        }
    }

    private static func compareBytes(
        _ comparison: Comparison,
        _ left: Operand,
        _ right: Operand,
        _ count: Int
    ) throws(LanceError) -> [UInt64] {
        defer { withExtendedLifetime((left, right)) {} }
        let one = try ByteColumn(left)
        let other = try ByteColumn(right)
        switch comparison {
        case .equal: return BitWords.make(count) { one[$0].equals(other[$0]) }
        case .notEqual: return BitWords.make(count) { !one[$0].equals(other[$0]) }
        case .less: return BitWords.make(count) { one[$0].order(other[$0]) < 0 }
        case .lessOrEqual: return BitWords.make(count) { one[$0].order(other[$0]) <= 0 }
        case .greater: return BitWords.make(count) { one[$0].order(other[$0]) > 0 }
        case .greaterOrEqual: return BitWords.make(count) { one[$0].order(other[$0]) >= 0 }
        }
    }

    private static func compareNested(
        _ comparison: Comparison,
        _ left: Operand,
        _ right: Operand,
        _ count: Int,
        _ order: NestedOrder
    ) throws(LanceError) -> [UInt64] {
        BitWords.make(count) { row in
            let other = right.isConstant ? 0 : row
            if left.array.isNull(row) || right.array.isNull(other) { return false }
            let result = order.compare(left.array, row, right.array, other)
            return switch comparison {
            case .equal: result == 0
            case .notEqual: result != 0
            case .less: result < 0
            case .lessOrEqual: result <= 0
            case .greater: result > 0
            case .greaterOrEqual: result >= 0
            }
        }
    }
}

/// Comparison of values of fixed width; the right side may be a constant.
private struct FixedComparison: FixedWidthVisitor {
    let comparison: Comparison
    let left: Operand
    let right: Operand
    let count: Int
    let joinsZeros: Bool

    func visit<T: OrderedValue>(_ type: T.Type) throws(LanceError) -> [UInt64] {
        try left.array.withValues(of: T.self) { one throws(LanceError) in
            try right.array.withValues(of: T.self) { other in
                if right.isConstant {
                    if joinsZeros {
                        let constant = other[0].keyJoiningZeros
                        return bits {
                            one[$0].keyJoiningZeros
                        } _: { _ in
                            constant
                        }
                    }
                    let constant = other[0].key
                    return bits {
                        one[$0].key
                    } _: { _ in
                        constant
                    }
                }
                return bits {
                    one[$0].key
                } _: {
                    other[$0].key
                }
            }
        }
    }

    @inline(__always)
    private func bits<K: Comparable>(_ one: (Int) -> K, _ other: (Int) -> K) -> [UInt64] {
        switch comparison {
        case .equal: BitWords.make(count) { one($0) == other($0) }
        case .notEqual: BitWords.make(count) { one($0) != other($0) }
        case .less: BitWords.make(count) { one($0) < other($0) }
        case .lessOrEqual: BitWords.make(count) { one($0) <= other($0) }
        case .greater: BitWords.make(count) { one($0) > other($0) }
        case .greaterOrEqual: BitWords.make(count) { one($0) >= other($0) }
        }
    }
}

/// The order of lists (item by item, the shorter first) and structs (member by member); a null inside is equal to a
/// null and before everything else.
struct NestedOrder {
    /// - Throws: `invalidArgument` when values of the types have no order in common.
    init(_ left: ArrowType, _ right: ArrowType) throws(LanceError) {
        guard Self.isComparable(left, right) else {
            throw .invalidArgument("\(left.shortName) and \(right.shortName) cannot be compared")
        }
    }

    private static func isComparable(_ left: ArrowType, _ right: ArrowType) -> Bool {
        if left.isBytes, right.isBytes { return true }
        if let one = left.listItem, let other = right.listItem { return isComparable(one.type, other.type) }
        if case .structure(let one) = left, case .structure(let other) = right {
            return one.count == other.count && zip(one, other).allSatisfy { isComparable($0.type, $1.type) }
        }
        if case .dictionary = left { return false }
        return left == right
    }

    /// Negative, zero or positive.
    func compare(_ left: ArrowArray, _ row: Int, _ right: ArrowArray, _ other: Int) -> Int {
        let isNull = left.isNull(row)
        let otherIsNull = right.isNull(other)
        if isNull || otherIsNull { return isNull && otherIsNull ? 0 : isNull ? -1 : 1 }
        if let (items, range) = left.items(at: row), let (otherItems, otherRange) = right.items(at: other) {
            for (index, otherIndex) in zip(range, otherRange) {
                let result = compare(items, index, otherItems, otherIndex)
                if result != 0 { return result }
            }
            return range.count - otherRange.count
        }
        if case .structure(let members) = left.storage, case .structure(let otherMembers) = right.storage {
            for (member, otherMember) in zip(members, otherMembers) {
                let result = compare(member, row, otherMember, other)
                if result != 0 { return result }
            }
            return 0
        }
        return leaf(left, row, right, other)
    }

    private func leaf(_ left: ArrowArray, _ row: Int, _ right: ArrowArray, _ other: Int) -> Int {
        // Typed as comparable by the initialiser, so both are of one kind.
        let one = Operand(array: left.slice(row..<(row + 1)))
        let two = Operand(array: right.slice(other..<(other + 1)))
        func holds(_ comparison: Comparison) -> Bool {
            let truth = try? ComparisonKernels.compare(comparison, one, two, 1, joinsZeros: false)
            return truth.map { $0.isTrue[0] & 1 == 1 } ?? false
        }
        return holds(.less) ? -1 : holds(.equal) ? 0 : 1
    }
}

extension ArrowArray {
    /// The items of a list and where those of one row are; nil when this is no list.
    func items(at row: Int) -> (ArrowArray, Range<Int>)? {
        switch storage {
        case .list(let offsets, let child):
            let width = type.offsetWidth ?? 4
            return (child, offsets.offset(at: row, width: width)..<offsets.offset(at: row + 1, width: width))
        case .fixedSizeList(let child):
            guard case .fixedSizeList(_, let size) = type else { return nil }
            return (child, (row * size)..<(row * size + size))
        default: return nil
        }
    }
}
