/// One value of a column as a Swift value; for small uses (tests, messages, single cells), not for loops over columns.
public indirect enum ArrowValue: Sendable, Hashable {
    /// No value.
    case null
    /// A boolean.
    case bool(Bool)
    /// A signed integer, or a date, time, timestamp or duration in its unit.
    case int(Int64)
    /// An unsigned integer.
    case uint(UInt64)
    /// A float of any width, widened.
    case float(Double)
    /// An unscaled decimal and its scale: the value is `unscaled * 10^-scale`.
    case decimal(Int256, scale: Int)
    /// Text.
    case string(String)
    /// Binary of any kind.
    case bytes([UInt8])
    /// A list, or a map as a list of structures of key and value.
    case list([ArrowValue])
    /// A structure's members in order.
    case structure([Member])

    /// A named value in a structure.
    public struct Member: Sendable, Hashable {
        /// The field's name.
        public var name: String
        /// The value.
        public var value: ArrowValue

        /// Pairs a name with a value.
        public init(_ name: String, _ value: ArrowValue) {
            self.name = name
            self.value = value
        }
    }
}

extension ArrowValue {
    /// Equal as ``ArrowArray/isEqual(to:)`` means it: floats by their bits, so that NaN is equal to itself.
    public static func == (left: ArrowValue, right: ArrowValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let mine), .bool(let other)): mine == other
        case (.int(let mine), .int(let other)): mine == other
        case (.uint(let mine), .uint(let other)): mine == other
        case (.float(let mine), .float(let other)): mine.bitPattern == other.bitPattern
        case (.decimal(let mine, let myScale), .decimal(let other, let otherScale)):
            mine == other && myScale == otherScale
        case (.string(let mine), .string(let other)): mine.utf8.elementsEqual(other.utf8)
        case (.bytes(let mine), .bytes(let other)): mine == other
        case (.list(let mine), .list(let other)): mine == other
        case (.structure(let mine), .structure(let other)): mine == other
        default: false
        }
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .uint(let value): hasher.combine(value)
        case .float(let value): hasher.combine(value.bitPattern)
        case .decimal(let value, _): hasher.combine(value)
        case .string(let value): for byte in value.utf8 { hasher.combine(byte) }
        case .bytes(let value): hasher.combine(value)
        case .list(let value): hasher.combine(value)
        case .structure(let value): hasher.combine(value)
        }
    }
}

extension ArrowValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// `nil` is ``null``.
    public init(nilLiteral: ()) { self = .null }
    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A signed integer.
    public init(integerLiteral value: Int64) { self = .int(value) }
    /// A float.
    public init(floatLiteral value: Double) { self = .float(value) }
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A list.
    public init(arrayLiteral elements: ArrowValue...) { self = .list(elements) }
    /// A structure, in the order written.
    public init(dictionaryLiteral elements: (String, ArrowValue)...) {
        self = .structure(elements.map { Member($0.0, $0.1) })
    }
}
