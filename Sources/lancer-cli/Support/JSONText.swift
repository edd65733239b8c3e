import LancerArrow

/// A JSON value whose object members keep their order.
indirect enum JSONText {
    case null
    case bool(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    case number(Double)
    case string(String)
    /// JSON made elsewhere.
    case raw(String)
    case array([JSONText])
    case object([(String, JSONText)])

    /// A count.
    static func count(_ value: some BinaryInteger) -> JSONText {
        Int64(exactly: value).map { .integer($0) } ?? .unsigned(UInt64(clamping: value))
    }

    /// A text or null.
    static func optional(_ value: String?) -> JSONText { value.map { .string($0) } ?? .null }

    /// The text, on one line.
    var line: String {
        var text = ""
        append(to: &text)
        return text
    }

    private func append(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += "\(value)"
        case .unsigned(let value): text += "\(value)"
        case .number(let value): text += value.isFinite ? "\(value)" : "null"
        case .raw(let value): text += value
        case .string(let value): text += ArrowText.json(quoting: value)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.append(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                text += ArrowText.json(quoting: member.0)
                text += ":"
                member.1.append(to: &text)
            }
            text += "}"
        }
    }
}
