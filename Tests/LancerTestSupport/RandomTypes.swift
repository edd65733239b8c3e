import LancerArrow

/// Makes random types; the lists can be cut down to what a test can store.
package struct RandomTypes: Sendable {
    /// A kind of nested type.
    package enum Nested: Sendable, CaseIterable {
        case list, largeList, fixedSizeList, structure, map, dictionary
    }

    /// Types without children.
    package var leaves: [ArrowType] = Self.allLeaves
    /// Kinds of nested types.
    package var nested: [Nested] = Nested.allCases
    /// Deepest nesting: 0 gives leaves only.
    package var depth = 3
    /// How often a child may not be null.
    package var requiredRate = 0.2

    package init() {}

    /// Every type without children, parameters varied.
    package static let allLeaves: [ArrowType] = [
        .null, .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float16, .float32, .float64,
        .decimal128(precision: 38, scale: 10), .decimal128(precision: 5, scale: 2),
        .decimal128(precision: 9, scale: -3),
        .decimal256(precision: 76, scale: 20), .decimal256(precision: 40, scale: 0), .date32, .date64, .time32(.second),
        .time32(.millisecond), .time64(.microsecond), .time64(.nanosecond), .timestamp(.second, timezone: nil),
        .timestamp(.millisecond, timezone: "UTC"), .timestamp(.microsecond, timezone: "+05:30"),
        .timestamp(.nanosecond, timezone: "Europe/Berlin"), .duration(.second), .duration(.millisecond),
        .duration(.microsecond), .duration(.nanosecond), .utf8, .largeUtf8, .binary, .largeBinary, .fixedSizeBinary(1),
        .fixedSizeBinary(16), .fixedSizeBinary(37),
    ]

    /// A random type.
    package func type(_ random: inout SplitMix64) -> ArrowType { type(depth: depth, &random) }

    private func type(depth: Int, _ random: inout SplitMix64) -> ArrowType {
        if depth == 0 || nested.isEmpty || random.chance(0.4) { return random.pick(leaves) }
        switch random.pick(nested) {
        case .list: return .list(field("item", depth, &random))
        case .largeList: return .largeList(field("item", depth, &random))
        case .fixedSizeList: return .fixedSizeList(field("item", depth, &random), random.int(1...5))
        case .structure:
            return .structure((0..<random.int(1...4)).map { field("f\($0)", depth, &random) })
        case .map:
            let keys = leaves.filter { $0 != .null }
            let key = ArrowField("key", keys.isEmpty ? .utf8 : random.pick(keys), nullable: false)
            let entries = ArrowType.structure([key, field("value", depth, &random)])
            return .map(ArrowField("entries", entries, nullable: false), keysSorted: false)
        case .dictionary:
            let values = leaves.filter { $0 != .null && $0 != .bool }
            let index = random.pick([ArrowType.int8, .int16, .int32, .int64, .uint8, .uint16, .uint32])
            return .dictionary(
                index: index,
                value: values.isEmpty ? .utf8 : random.pick(values),
                ordered: random.chance(0.2)
            )
        }
    }

    private func field(_ name: String, _ depth: Int, _ random: inout SplitMix64) -> ArrowField {
        let type = type(depth: depth - 1, &random)
        return ArrowField(name, type, nullable: type == .null || !random.chance(requiredRate))
    }
}
