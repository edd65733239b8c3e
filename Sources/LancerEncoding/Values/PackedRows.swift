import LancerBytes

/// Structs stored row by row: the bytes of all fields of one row are one value.
///
/// Spec: 07-encodings.md, "PackedStruct" and "VariablePackedStruct".
enum PackedRows {
    /// Rows of fields of fixed width, and the bits of each field; nil when a field is of variable width.
    static func fixed(_ fields: [LeafValues]) -> (rows: FixedValues, bitsPerField: [Int])? {
        var parts: [FixedValues] = []
        for field in fields {
            guard case .fixed(let values) = field else { return nil }
            parts.append(values)
        }
        let width = parts.reduce(0) { $0 + $1.width }
        let count = parts.first?.count ?? 0
        let rows = ArrowBuffer(count: width * count) { target in
            var offset = 0
            for part in parts {
                part.bytes.withUnsafeBytes { source in
                    guard let from = source.baseAddress, let to = target.baseAddress else { return }
                    for row in 0..<count {
                        (to + row * width + offset).copyMemory(from: from + row * part.width, byteCount: part.width)
                    }
                }
                offset += part.width
            }
        }
        return (FixedValues(rows, width: width, count: count), parts.map { $0.width * 8 })
    }

    /// Rows of fields of any width: fixed ones and vectors as they are, others behind their length, and as FSST codes where `fsst`
    /// gives some.
    static func variable(
        _ fields: [LeafValues],
        _ fsst: (VariableValues) throws(LanceError) -> (VariableValues, CompressiveEncoding)?
    ) throws(LanceError) -> (VariableValues, CompressiveEncoding) {
        var described: [CompressiveEncoding.PackedField] = []
        var total = 0
        var fields = fields
        for (index, field) in fields.enumerated() {
            switch field {
            case .fixed(let values):
                let bits = values.width * 8
                described.append(.init(value: .flat(bits: bits), bits: bits, isVariable: false))
                total += values.width * values.count
            case .vectors(let values):
                guard let rows = values.rows() else {
                    throw .unsupported(
                        "a packed struct with vectors of \(values.itemsPerValue) booleans, not whole bytes"
                    )
                }
                fields[index] = .fixed(rows)
                described.append(.init(value: values.flatEncoding, bits: rows.width * 8, isVariable: false))
                total += rows.width * rows.count
            case .variable(let values):
                let plain = CompressiveEncoding.variable(offsetBits: values.offsetBits)
                let (values, encoding) = try fsst(values) ?? (values, plain)
                fields[index] = .variable(values)
                described.append(.init(value: encoding, bits: values.offsetBits, isVariable: true))
                total += values.dataBytes + values.offsetBits / 8 * values.count
            default: throw .unsupported("a packed struct with fields other than numbers and text")
            }
        }
        let count = fields.first?.count ?? 0
        var data = BufferBuilder(capacity: total)
        var offsets = [0]
        offsets.reserveCapacity(count + 1)
        for row in 0..<count {
            for field in fields {
                switch field {
                case .fixed(let values):
                    data.append(contentsOf: values.bytes.slice((row * values.width)..<((row + 1) * values.width)))
                case .variable(let values):
                    let range = values.offsets[row]..<values.offsets[row + 1]
                    if values.offsetBits == 32 {
                        data.append(UInt32(truncatingIfNeeded: range.count))
                    } else {
                        data.append(UInt64(range.count))
                    }
                    data.append(contentsOf: values.data.slice(range))
                default: break
                }
            }
            offsets.append(data.count)
        }
        return (
            VariableValues(offsets: offsets, data: data.finish(), offsetBits: 32), .variablePackedStruct(described)
        )
    }
}
