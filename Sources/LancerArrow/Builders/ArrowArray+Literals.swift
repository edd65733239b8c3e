import LancerBytes

extension ArrowArray {
    /// An array of any type from Swift values; for small uses.
    ///
    /// - Throws: `schemaMismatch` or `invalidArgument` when a value does not fit the type.
    public static func of(_ type: ArrowType, _ values: [ArrowValue]) throws(LanceError) -> ArrowArray {
        let builder = ColumnBuilder(type)
        for value in values { try builder.append(value) }
        return builder.finish()
    }

    private static func fixed<T: BitwiseCopyable>(_ type: ArrowType, _ values: [T?]) -> ArrowArray {
        let builder = ColumnBuilder(type)
        builder.reserve(values.count)
        for value in values {
            if let value { builder.append(raw: value) } else { builder.appendNull() }
        }
        return builder.finish()
    }

    /// 8-bit integers.
    public static func int8(_ values: [Int8?]) -> ArrowArray { fixed(.int8, values) }
    /// 16-bit integers.
    public static func int16(_ values: [Int16?]) -> ArrowArray { fixed(.int16, values) }
    /// 32-bit integers.
    public static func int32(_ values: [Int32?]) -> ArrowArray { fixed(.int32, values) }
    /// 64-bit integers.
    public static func int64(_ values: [Int64?]) -> ArrowArray { fixed(.int64, values) }
    /// Unsigned 8-bit integers.
    public static func uint8(_ values: [UInt8?]) -> ArrowArray { fixed(.uint8, values) }
    /// Unsigned 16-bit integers.
    public static func uint16(_ values: [UInt16?]) -> ArrowArray { fixed(.uint16, values) }
    /// Unsigned 32-bit integers.
    public static func uint32(_ values: [UInt32?]) -> ArrowArray { fixed(.uint32, values) }
    /// Unsigned 64-bit integers.
    public static func uint64(_ values: [UInt64?]) -> ArrowArray { fixed(.uint64, values) }
    /// Half precision floats, each rounded to the nearest.
    public static func float16(_ values: [Double?]) -> ArrowArray {
        fixed(.float16, values.map { $0.map(HalfFloat.bits) })
    }
    /// Single precision floats.
    public static func float32(_ values: [Float?]) -> ArrowArray { fixed(.float32, values) }
    /// Double precision floats.
    public static func float64(_ values: [Double?]) -> ArrowArray { fixed(.float64, values) }

    /// Days since 1970-01-01.
    public static func date32(_ values: [Int32?]) -> ArrowArray { fixed(.date32, values) }
    /// Moments in `unit` since 1970-01-01T00:00:00.
    public static func timestamp(_ unit: TimeUnit, timezone: String? = nil, _ values: [Int64?]) -> ArrowArray {
        fixed(.timestamp(unit, timezone: timezone), values)
    }

    /// Booleans.
    public static func bool(_ values: [Bool?]) -> ArrowArray {
        let validity = values.contains(nil) ? Bitmap(count: values.count) { values[$0] != nil } : nil
        let bits = Bitmap(count: values.count) { values[$0] == true }
        return ArrowArray(type: .bool, length: values.count, validity: validity, storage: .boolean(bits))
    }

    /// Text with 32-bit offsets; all together below 2^31 bytes.
    public static func utf8(_ values: [String?]) -> ArrowArray {
        variable(.utf8, values.map { $0.map { Array($0.utf8) } })
    }
    /// Text with 64-bit offsets.
    public static func largeUtf8(_ values: [String?]) -> ArrowArray {
        variable(.largeUtf8, values.map { $0.map { Array($0.utf8) } })
    }
    /// Bytes with 32-bit offsets; all together below 2^31 bytes.
    public static func binary(_ values: [[UInt8]?]) -> ArrowArray { variable(.binary, values) }
    /// Bytes with 64-bit offsets.
    public static func largeBinary(_ values: [[UInt8]?]) -> ArrowArray { variable(.largeBinary, values) }

    private static func variable(_ type: ArrowType, _ values: [[UInt8]?]) -> ArrowArray {
        var data = BufferBuilder()
        var ends: [Int] = [0]
        for value in values {
            if let value { data.append(contentsOf: value) }
            ends.append(data.count)
        }
        let validity = values.contains { $0 == nil } ? Bitmap(count: values.count) { values[$0] != nil } : nil
        return ArrowArray(
            type: type,
            length: values.count,
            validity: validity,
            storage: .variableWidth(offsets: offsets(ends, of: type), data: data.finish())
        )
    }

    private static func offsets(_ ends: [Int], of type: ArrowType) -> ArrowBuffer {
        if type.offsetWidth == 8 { return ArrowBuffer(ends.map { Int64($0) }) }
        precondition(ends.last ?? 0 <= Int(Int32.max), "32-bit offsets overflow")
        return ArrowBuffer(ends.map { Int32($0) })
    }

    /// Lists of the given lengths (nil = null list) that take their items from `child` one after the other.
    public static func list(of child: ArrowArray, lengths: [Int?], item: ArrowField? = nil) -> ArrowArray {
        let ends = lengths.reduce(into: [0]) { $0.append(($0.last ?? 0) + ($1 ?? 0)) }
        precondition(ends.last ?? 0 <= child.length, "lists longer than their items")
        let type = ArrowType.list(item ?? ArrowField("item", child.type))
        let validity = lengths.contains(nil) ? Bitmap(count: lengths.count) { lengths[$0] != nil } : nil
        return ArrowArray(
            type: type,
            length: lengths.count,
            validity: validity,
            storage: .list(offsets: offsets(ends, of: type), child: child)
        )
    }

    /// Lists of `size` items each, taken from `child` one after the other.
    public static func fixedSizeList(
        of child: ArrowArray,
        size: Int,
        validity: [Bool]? = nil,
        item: ArrowField? = nil
    ) -> ArrowArray {
        precondition(size > 0 && child.length % size == 0, "items do not fill the lists")
        return ArrowArray(
            type: .fixedSizeList(item ?? ArrowField("item", child.type), size),
            length: child.length / size,
            validity: validity.map { Bitmap($0) },
            storage: .fixedSizeList(child: child)
        )
    }

    /// Structures of named children of the same length.
    public static func structure(_ members: [(String, ArrowArray)], validity: [Bool]? = nil) -> ArrowArray {
        let length = members.first?.1.length ?? validity?.count ?? 0
        precondition(members.allSatisfy { $0.1.length == length }, "children of different lengths")
        return ArrowArray(
            type: .structure(members.map { ArrowField($0.0, $0.1.type) }),
            length: length,
            validity: validity.map { Bitmap($0) },
            storage: .structure(members.map(\.1))
        )
    }
}
