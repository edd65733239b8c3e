import LancerBytes

extension ColumnBuilder {
    /// Appends a Swift value of any shape; for small uses.
    ///
    /// A structure's members are found by name; those left out are null. A map takes a list of structures with the
    /// members of its entries.
    ///
    /// - Throws: `schemaMismatch` when the value's shape is not the column's, `invalidArgument` when it does not fit.
    public func append(_ value: ArrowValue) throws(LanceError) {
        switch value {
        case .null: appendNull()
        case .bool(let value): try append(bool: value)
        case .int(let value):
            if case .decimal128 = type {
                try append(decimal: Int256(value))
            } else if case .decimal256 = type {
                try append(decimal: Int256(value))
            } else {
                try append(integer: value)
            }
        case .uint(let value): try append(integer: value)
        case .float(let value): try append(float: value)
        case .decimal(let unscaled, let scale):
            guard scale == decimalScale else {
                throw .schemaMismatch("a decimal of scale \(scale) cannot be appended to \(type)")
            }
            try append(decimal: unscaled)
        case .string(let text): try append(text: text)
        case .bytes(let bytes):
            var failure: LanceError?
            bytes.withUnsafeBytes { raw in
                do throws(LanceError) { try append(bytes: raw) } catch { failure = error }
            }
            if let failure { throw failure }
        case .list(let items):
            guard kind == .list || kind == .fixedList else {
                throw .schemaMismatch("a list cannot be appended to \(type)")
            }
            if kind == .fixedList, items.count != listSize {
                throw .invalidArgument("\(items.count) items do not fit \(type)")
            }
            for item in items { try children[0].append(item) }
            try endValue()
        case .structure(let members):
            guard case .structure(let fields) = type else {
                throw .schemaMismatch("a structure cannot be appended to \(type)")
            }
            if let stranger = members.first(where: { member in !fields.contains { $0.name == member.name } }) {
                throw .schemaMismatch("\(type) has no member \"\(stranger.name)\"")
            }
            for (field, child) in zip(fields, children) {
                try child.append(members.first { $0.name == field.name }?.value ?? .null)
            }
            try endValue()
        }
    }

    private var decimalScale: Int? {
        switch dictionaryValues?.type ?? type {
        case .decimal128(_, let scale), .decimal256(_, let scale): scale
        default: nil
        }
    }
}
