import LancerArrow
import LancerBytes

/// Makes random arrays of any type, with the awkward parts that real data has: values under nulls, validity bitmaps
/// without nulls, offsets that do not start at zero, children longer than needed, slices at odd bits, NaN payloads,
/// negative zeros, extreme integers, empty texts and lists.
package struct RandomArrays: Sendable {
    /// Whether to make arrays that are slices of longer ones and have unused memory before and behind.
    package var slices = true
    /// Whether there is something other than zeros under nulls.
    package var hiddenValues = true
    /// Fixed rate of nulls; nil varies it from array to array.
    package var nullRate: Double?
    /// Longest text and list.
    package var longestValue = 12

    package init() {}

    /// An array that follows the field's nullability.
    package func array(_ field: ArrowField, length: Int, _ random: inout SplitMix64) -> ArrowArray {
        array(field.type, length: length, nullable: field.nullable, &random)
    }

    /// An array of the type.
    package func array(
        _ type: ArrowType,
        length: Int,
        nullable: Bool = true,
        _ random: inout SplitMix64
    ) -> ArrowArray {
        guard slices, random.chance(0.3) else { return whole(type, length, nullable, &random) }
        let before = random.int(0...11)
        let after = random.int(0...5)
        return whole(type, before + length + after, nullable, &random).slice(before..<(before + length))
    }

    /// A batch of `rows` rows under a random schema of `columns` columns called `c0`, `c1` ….
    package func batch(
        columns: Int,
        rows: Int,
        types: RandomTypes = RandomTypes(),
        _ random: inout SplitMix64
    ) throws(LanceError) -> RecordBatch {
        var fields: [ArrowField] = []
        var arrays: [ArrowArray] = []
        for index in 0..<columns {
            let type = types.type(&random)
            let nullable = type == .null || random.chance(0.8)
            fields.append(ArrowField("c\(index)", type, nullable: nullable))
            arrays.append(array(fields[index], length: rows, &random))
        }
        return try RecordBatch(schema: ArrowSchema(fields), columns: arrays, rowCount: rows)
    }

    private func whole(_ type: ArrowType, _ length: Int, _ nullable: Bool, _ random: inout SplitMix64) -> ArrowArray {
        if type == .null { return .nulls(type: .null, length: length) }
        let validity = validity(length, nullable, &random)
        let storage: ArrowArray.Storage
        switch type {
        case .bool: storage = .boolean(bits(length, 0.5, &random))
        case .utf8, .largeUtf8, .binary, .largeBinary:
            var data = BufferBuilder()
            if slices { data.append(0x7A, repeated: random.int(0...3)) }
            var ends = [data.count]
            for index in 0..<length {
                let isHidden = !hiddenValues && validity.map { !$0[index] } ?? false
                if !isHidden { append(text: type == .utf8 || type == .largeUtf8, to: &data, &random) }
                ends.append(data.count)
            }
            storage = .variableWidth(offsets: offsets(ends, type), data: data.finish())
        case .list(let item), .largeList(let item), .map(let item, _):
            var ends = [slices ? random.int(0...3) : 0]
            for index in 0..<length {
                let isHidden = !hiddenValues && validity.map { !$0[index] } ?? false
                let size = isHidden || random.chance(0.2) ? 0 : random.int(0...Swift.max(longestValue / 2, 1))
                ends.append(ends[index] + size)
            }
            let total = (ends.last ?? 0) + (slices ? random.int(0...3) : 0)
            storage = .list(offsets: offsets(ends, type), child: array(item, length: total, &random))
        case .fixedSizeList(let item, let size):
            storage = .fixedSizeList(child: array(item, length: length * size, &random))
        case .structure(let fields): storage = .structure(fields.map { array($0, length: length, &random) })
        case .dictionary(let index, let value, _):
            let count = random.int(1...20)
            let values = array(value, length: count, nullable: false, &random)
            let width = index.byteWidth ?? 4
            var indices = BufferBuilder()
            for _ in 0..<length {
                let number = UInt64(random.int(0...(count - 1)))
                withUnsafeBytes(of: number) { indices.append(UnsafeRawBufferPointer(rebasing: $0[..<width])) }
            }
            storage = .dictionary(indices: indices.finish(), values: values)
        default: storage = .fixedWidth(fixed(type, length, validity, &random))
        }
        return ArrowArray(type: type, length: length, validity: validity, storage: storage)
    }

    private func validity(_ length: Int, _ nullable: Bool, _ random: inout SplitMix64) -> Bitmap? {
        guard nullable else { return nil }
        let rate = nullRate ?? random.pick([0, 0, 0.01, 0.1, 0.5, 0.9, 1])
        if rate == 0, random.chance(0.5) { return nil }
        return bits(length, 1 - rate, &random)
    }

    private func bits(_ length: Int, _ rate: Double, _ random: inout SplitMix64) -> Bitmap {
        let bools = (0..<length).map { _ in random.chance(rate) }
        return Bitmap(bools)
    }

    private func offsets(_ ends: [Int], _ type: ArrowType) -> ArrowBuffer {
        type.offsetWidth == 8 ? ArrowBuffer(ends.map { Int64($0) }) : ArrowBuffer(ends.map { Int32($0) })
    }

    private func append(text: Bool, to data: inout BufferBuilder, _ random: inout SplitMix64) {
        if random.chance(0.15) { return }
        let count = random.chance(0.05) ? longestValue * 8 : random.int(0...longestValue)
        guard text else {
            for _ in 0..<count { data.append(UInt8(truncatingIfNeeded: random.next())) }
            return
        }
        let letters = ["a", "b", "z", "0", " ", "\"", ",", "\n", "\\", "\u{1}", "\u{e9}", "\u{4e2d}", "\u{1f980}"]
        var string = ""
        for _ in 0..<count { string += random.pick(letters) }
        data.append(contentsOf: Array(string.utf8))
    }

    private func fixed(
        _ type: ArrowType,
        _ length: Int,
        _ validity: Bitmap?,
        _ random: inout SplitMix64
    ) -> ArrowBuffer {
        let width = type.byteWidth ?? 0
        // Some columns hold small numbers, as most do in life.
        let isSmall = random.chance(0.5)
        var values = BufferBuilder(capacity: length * width)
        for index in 0..<length {
            if !hiddenValues, let validity, !validity[index] {
                values.append(0, repeated: width)
            } else {
                append(type, width, isSmall, to: &values, &random)
            }
        }
        return values.finish()
    }

    private func append(
        _ type: ArrowType,
        _ width: Int,
        _ isSmall: Bool,
        to values: inout BufferBuilder,
        _ random: inout SplitMix64
    ) {
        switch type {
        case .float16:
            values.append(
                random.chance(0.3)
                    ? random.pick([0x8000, 0x7C00, 0x7E01, 0xFC00, 1]) : UInt16.random(in: 0 ... .max, using: &random)
            )
        case .float32:
            let special: [UInt32] = [0x8000_0000, 0x7FC0_0001, 0xFFC0_0000, 0x7F80_0000, 1]
            values.append(
                random.chance(0.2)
                    ? random.pick(special)
                    : isSmall ? Float(random.int(-100...100)).bitPattern / 1 : UInt32(truncatingIfNeeded: random.next())
            )
        case .float64:
            let special: [UInt64] = [1 << 63, 0x7FF8_0000_0000_0001, 0xFFF8 << 48, 0x7FF0 << 48, 1]
            let plain = isSmall ? (Double(random.int(-10000...10000)) / 100).bitPattern : random.next()
            values.append(random.chance(0.2) ? random.pick(special) : plain)
        case .decimal128(let precision, _), .decimal256(let precision, _):
            let digits = random.int(1...precision)
            var text = random.chance(0.5) ? "-" : ""
            for _ in 0..<digits { text += String(random.int(0...9)) }
            let value = Array(text.utf8).withUnsafeBytes { ArrowText.parseDecimal($0, precision: precision, scale: 0) }
            withUnsafeBytes(of: value ?? .zero) { values.append(UnsafeRawBufferPointer(rebasing: $0[..<width])) }
        case .time32(let unit): values.append(Int32(random.int(0...Int(86400 * unit.perSecond - 1))))
        case .time64(let unit): values.append(Int64(random.int(0...Int(86400 * unit.perSecond - 1))))
        case .date64: values.append(Int64(random.int(-1_000_000...1_000_000)) * 86_400_000)
        default:
            let number: UInt64 =
                random.chance(0.1)
                ? random.pick([0, .max, 1 << 63, 127, 128]) : isSmall ? UInt64(random.int(0...100)) : random.next()
            if width <= 8 {
                withUnsafeBytes(of: number) { values.append(UnsafeRawBufferPointer(rebasing: $0[..<width])) }
            } else {
                for _ in 0..<width { values.append(UInt8(truncatingIfNeeded: random.next())) }
            }
        }
    }
}
