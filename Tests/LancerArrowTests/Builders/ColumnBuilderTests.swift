import LancerArrow
import LancerBytes
import Testing

@Suite("Column builder")
struct ColumnBuilderTests {
    @Test("numbers of every width come back, nulls included")
    func numbers() throws {
        for type: ArrowType in [
            .int8, .int16, .int32, .int64, .date32, .date64, .time32(.second), .duration(.nanosecond),
        ] {
            let array = try ArrowArray.of(type, [1, nil, -128, 127])
            #expect(array.type == type)
            #expect(array.nullCount == 1)
            #expect(array.allValues == [1, nil, -128, 127])
        }
        for type: ArrowType in [.uint8, .uint16, .uint32, .uint64] {
            #expect(try ArrowArray.of(type, [1, nil, 255]).allValues == [.uint(1), nil, .uint(255)])
        }
        for type: ArrowType in [.float16, .float32, .float64] {
            #expect(try ArrowArray.of(type, [1.5, nil, -2]).allValues == [1.5, nil, -2.0])
        }
    }

    @Test("integers that do not fit are refused and leave the column as it was")
    func overflow() throws {
        let builder = ColumnBuilder(.int8)
        try builder.append(integer: 127)
        #expect(throws: LanceError.invalidArgument("")) { try builder.append(integer: 128) }
        #expect(throws: LanceError.schemaMismatch("")) { try builder.append(text: "x") }
        try builder.append(integer: UInt64(3))
        #expect(builder.finish().allValues == [127, 3])
        #expect(builder.finish().length == 0)
    }

    @Test("text and binary come back")
    func text() throws {
        for type: ArrowType in [.utf8, .largeUtf8] {
            #expect(try ArrowArray.of(type, ["a", nil, "", "gr\u{fc}n"]).allValues == ["a", nil, "", "gr\u{fc}n"])
        }
        for type: ArrowType in [.binary, .largeBinary] {
            #expect(
                try ArrowArray.of(type, [.bytes([0, 255]), nil, .bytes([])]).allValues == [
                    .bytes([0, 255]), nil, .bytes([]),
                ]
            )
        }
        #expect(try ArrowArray.of(.fixedSizeBinary(2), [.bytes([1, 2]), nil]).allValues == [.bytes([1, 2]), nil])
        #expect(throws: LanceError.invalidArgument("")) { try ArrowArray.of(.fixedSizeBinary(2), [.bytes([1])]) }
    }

    @Test("decimals keep all their bits")
    func decimals() throws {
        let large = Int256(1, 2, 3, 4).negated
        let array = try ArrowArray.of(.decimal256(precision: 76, scale: 3), [.decimal(large, scale: 3), nil])
        #expect(array.allValues == [.decimal(large, scale: 3), nil])
        let small = Int256(-5)
        #expect(
            try ArrowArray.of(.decimal128(precision: 38, scale: -2), [.decimal(small, scale: -2)]).allValues
                == [.decimal(small, scale: -2)]
        )
        #expect(throws: LanceError.invalidArgument("")) {
            try ArrowArray.of(.decimal128(precision: 38, scale: 3), [.decimal(large, scale: 3)])
        }
    }

    @Test("nested values come back, with nulls at every level")
    func nested() throws {
        let point = ArrowType.structure([ArrowField("x", .int32), ArrowField("y", .float64, nullable: false)])
        let values: [ArrowValue] = [[["x": 1, "y": 2.0], nil], nil, [], [["x": nil, "y": 0.5]]]
        #expect(try ArrowArray.of(.list(ArrowField("item", point)), values).allValues == values)
        #expect(try ArrowArray.of(.largeList(ArrowField("item", point)), values).allValues == values)
        let vector = ArrowType.fixedSizeList(ArrowField("item", .float32), 2)
        #expect(
            try ArrowArray.of(vector, [[1.0, 2.0], nil, [nil, 3.0]]).allValues == [[1.0, 2.0], nil, [nil, 3.0]]
        )
        #expect(throws: LanceError.invalidArgument("")) { try ArrowArray.of(vector, [[1.0]]) }
        let entries = ArrowType.structure([ArrowField("key", .utf8, nullable: false), ArrowField("value", .int64)])
        let map = ArrowType.map(ArrowField("entries", entries, nullable: false), keysSorted: false)
        let maps: [ArrowValue] = [[["key": "a", "value": 1]], nil, []]
        #expect(try ArrowArray.of(map, maps).allValues == maps)
    }

    @Test("a null structure puts defaults, not nulls, into members that may not be null")
    func nullParents() throws {
        let inner = ArrowType.dictionary(index: .int8, value: .utf8, ordered: false)
        let type = ArrowType.structure([
            ArrowField("a", .int32, nullable: false), ArrowField("b", .utf8), ArrowField("c", inner, nullable: false),
        ])
        let array = try ArrowArray.of(type, [nil, ["a": 1, "b": "x", "c": "y"]])
        guard case .structure(let children) = array.storage else { return }
        #expect(children.map(\.nullCount) == [0, 1, 0])
        #expect(array.allValues == [nil, ["a": 1, "b": "x", "c": "y"]])
    }

    @Test("dictionaries number values as they appear")
    func dictionaries() throws {
        let type = ArrowType.dictionary(index: .int8, value: .utf8, ordered: false)
        let array = try ArrowArray.of(type, ["b", "a", nil, "b", "a"])
        #expect(array.allValues == ["b", "a", nil, "b", "a"])
        guard case .dictionary(let indices, let values) = array.storage else { return }
        #expect(values.allValues == ["b", "a"])
        #expect(indices.bytes == [0, 1, 0, 0, 1])
        let numbers = ArrowType.dictionary(index: .uint8, value: .int64, ordered: false)
        let builder = ColumnBuilder(numbers)
        for value in 0..<256 { try builder.append(integer: value) }
        #expect(throws: LanceError.limitExceeded("")) { try builder.append(integer: 256) }
        try builder.append(integer: 255)
        #expect(builder.finish().length == 257)
    }

    @Test("bits appended in every way come back")
    func bits() {
        for start in [0, 1, 63, 64, 65] {
            for offset in [0, 1, 7, 8, 13] {
                for count in [0, 1, 8, 63, 64, 65, 200] {
                    let source = Bitmap(count: offset + count) { $0 % 3 == 0 || $0 % 7 == 2 }
                    var builder = BitmapBuilder()
                    builder.append(true, repeated: start)
                    builder.append(contentsOf: source.slice(offset..<(offset + count)))
                    builder.append(false, repeated: count)
                    builder.append(true)
                    let expected =
                        [Bool](repeating: true, count: start) + source.bools[offset...]
                        + [Bool](repeating: false, count: count) + [true]
                    #expect(builder.finish().bools == expected)
                }
            }
        }
    }

    @Test("halves round to the nearest and come back")
    func halves() {
        for bits in UInt16.min ... .max {
            let value = HalfFloat.value(bits)
            if value.isNaN { continue }
            #expect(HalfFloat.bits(Double(value)) == bits)
        }
        #expect(HalfFloat.bits(65519.99) == 0x7BFF)
        #expect(HalfFloat.bits(65520) == 0x7C00)
        #expect(HalfFloat.bits(0x1p-25) == 0)
        #expect(HalfFloat.bits(0x1.000001p-25) == 1)
        #expect(HalfFloat.text(HalfFloat.bits(0.1)) == "0.1")
    }

    @Test("wide integers print exactly")
    func wideIntegers() {
        #expect(Int256(Int64.min).description == "-9223372036854775808")
        #expect(Int256(0, 1, 0, 0).description == "18446744073709551616")
        #expect(Int256.zero.description == "0")
        let largest = Int256(.max, .max, .max, .max >> 1)
        #expect(
            largest.description == "57896044618658097711785492504343953926634992332820282019728792003956564819967"
        )
        #expect(Int256(10_000_000_000_000_000_000, 0, 0, 0).description == "10000000000000000000")
    }
}
