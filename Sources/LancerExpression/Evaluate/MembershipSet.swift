import LancerArrow
import LancerBytes

/// The constants of a long IN list, for looking values up.
struct MembershipSet {
    private let items: ArrowArray
    private let hasNull: Bool

    /// Nil for types that are compared one by one.
    init?(_ constants: [ArrowArray]) throws(LanceError) {
        guard let type = constants.first?.type else { return nil }
        guard type.isBytes || type.byteWidth != nil, constants.allSatisfy({ $0.type == type }) else { return nil }
        let joined = try ArrowArray.concatenating(constants)
        hasNull = joined.nullCount > 0
        items = try joined.filter(joined.validity ?? Bitmap(repeating: true, count: joined.length))
    }

    /// True where the value is among the constants, else false, or null when there is a null among them.
    func contains(_ value: Operand, count: Int) throws(LanceError) -> Truth {
        var result = Truth(try bits(value, count), valid: validWords(value, count), count: count)
        if hasNull { result.isFalse = BitWords.repeating(false, count: count) }
        return result
    }

    private func validWords(_ value: Operand, _ count: Int) -> [UInt64]? {
        if value.isConstant { return value.array.isNull(0) ? BitWords.repeating(false, count: count) : nil }
        return BitWords.validity(value.array)
    }

    private func bits(_ value: Operand, _ count: Int) throws(LanceError) -> [UInt64] {
        let visitor = FixedMembership(items: items, value: value, count: count)
        if value.type == items.type, let result = try items.type.visit(visitor) { return result }
        // Texts sorted by their bytes, then halved.
        defer { withExtendedLifetime((items, value)) {} }
        let texts = try ByteColumn(Operand(array: items))
        let order = (0..<items.length).sorted { texts[$0].order(texts[$1]) < 0 }
        let column = try ByteColumn(value)
        return BitWords.make(count) { row in
            let bytes = column[row]
            var low = 0
            var high = order.count
            while low < high {
                let middle = (low + high) / 2
                let result = texts[order[middle]].order(bytes)
                if result == 0 { return true }
                if result < 0 { low = middle + 1 } else { high = middle }
            }
            return false
        }
    }
}

private struct FixedMembership: FixedWidthVisitor {
    let items: ArrowArray
    let value: Operand
    let count: Int

    func visit<T: OrderedValue>(_ type: T.Type) throws(LanceError) -> [UInt64] {
        try items.withValues(of: T.self) { items throws(LanceError) in
            // A zero among literals stands for both zeros; for other values the two keys are the same.
            let set = Set(items.flatMap { [$0.key, $0.keyJoiningZeros] })
            let hasZero = items.contains { $0.key != $0.keyJoiningZeros } || T.self is any BinaryFloatingPoint.Type
            return try value.array.withValues(of: T.self) { values in
                BitWords.make(count) { row in
                    let value = values[self.value.isConstant ? 0 : row]
                    return set.contains(value.key) || hasZero && set.contains(value.keyJoiningZeros)
                }
            }
        }
    }
}
