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
