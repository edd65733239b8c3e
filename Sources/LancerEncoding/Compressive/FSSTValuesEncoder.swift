import LancerBytes
import LancerCodecs

/// Text as FSST codes: each value still stands alone, the symbol table is in the page's layout.
///
/// Spec: 07-encodings.md, "FSST".
enum FSSTValuesEncoder {
    /// Bytes of text that tell how well all of it will do.
    private static let sampleBytes = 1 << 16
    /// Places that a sample is taken from.
    private static let samplePlaces = 16

    /// The values as codes, and their encoding.
    static func encode(_ values: VariableValues) throws(LanceError) -> (VariableValues, CompressiveEncoding) {
        let encoder = try trained(on: values)
        let codes = try encode(values, encoder)
        return (
            codes,
            .fsst(symbolTable: ArrowBufferKey(encoder.blob.bytes), values: .variable(offsetBits: values.offsetBits))
        )
    }

    /// The same if it saves something, table included; nil when a sample or the result shows that it does not.
    static func encode(ifSmaller values: VariableValues) throws(LanceError) -> (VariableValues, CompressiveEncoding)? {
        guard values.dataBytes > 2 * FSSTSymbolTable.serializedSize else { return nil }
        let encoder = try trained(on: values)
        let (sample, size) = try sampled(values, encoder)
        guard Double(size) < 0.95 * Double(sample) else { return nil }
        let codes = try encode(values, encoder)
        guard codes.dataBytes + FSSTSymbolTable.serializedSize < values.dataBytes else { return nil }
        return (
            codes,
            .fsst(symbolTable: ArrowBufferKey(encoder.blob.bytes), values: .variable(offsetBits: values.offsetBits))
        )
    }

    private static func trained(on values: VariableValues) throws(LanceError) -> FSSTEncoder {
        try values.data.withUnsafeBytes { (data) throws(LanceError) in
            try values.offsets.withUnsafeBufferPointer { (offsets) throws(LanceError) in
                try FSSTEncoder(trainingOn: offsets, data: data)
            }
        }
    }

    private static func encode(_ values: VariableValues, _ encoder: FSSTEncoder) throws(LanceError) -> VariableValues {
        let result = try values.data.withUnsafeBytes { (data) throws(LanceError) in
            try values.offsets.withUnsafeBufferPointer { (offsets) throws(LanceError) in
                try encoder.encodeAll(offsets: offsets, data: data)
            }
        }
        let offsets = result.offsets.withValues(of: Int.self) { Array($0) }
        return VariableValues(offsets: offsets, data: result.data, offsetBits: values.offsetBits)
    }

    /// Bytes of some values, and of their codes.
    private static func sampled(_ values: VariableValues, _ encoder: FSSTEncoder) throws(LanceError) -> (Int, Int) {
        if values.dataBytes <= sampleBytes { return (values.dataBytes, try encode(values, encoder).dataBytes) }
        var before = 0
        var after = 0
        let step = Swift.max(1, values.count / samplePlaces)
        for first in stride(from: 0, to: values.count, by: step) {
            let limit = values.offsets[first] + sampleBytes / samplePlaces
            var end = first + 1
            while end < values.count, end < first + step, values.offsets[end] < limit { end += 1 }
            let part = VariableValues(
                offsets: Array(values.offsets[first...end]),
                data: values.data,
                offsetBits: values.offsetBits
            )
            before += part.dataBytes
            after += try encode(part, encoder).dataBytes
        }
        return (before, after)
    }
}
