import LancerArrow
import LancerBytes
import LancerEncoding
import LancerTestSupport
import Testing

/// Levels of nested arrays, against the examples of the specification and a plain restatement of its rules.
@Suite("Level builder")
struct LevelBuilderTests {
    private func build(
        _ array: ArrowArray,
        _ steps: [LeafPath.Step],
        leaf: ArrowType = .int32
    ) throws -> (
        LeafLevels, [ArrowArray]
    ) {
        let path = LeafPath(steps: steps, leafType: leaf)
        var builder = LevelBuilder(path)
        try builder.append(path.pruned(array))
        return builder.finish()
    }

    @Test("three list layers give the repetition levels of the specification")
    func repetitionExample() throws {
        // [{<0,1>,<>,<2>},{<3>},{}], [], [{<4>}]
        let inner = ArrowArray.list(of: .int32([0, 1, 2, 3, 4]), lengths: [2, 0, 1, 1, 1])
        let middle = ArrowArray.list(of: inner, lengths: [3, 1, 0, 1])
        let (levels, values) = try build(.list(of: middle, lengths: [3, 0, 1]), [.list, .list, .list])
        #expect(levels.repetition == [3, 0, 1, 1, 2, 2, 3, 3])
        #expect(levels.layers == [.allValidItem, .emptyableList, .emptyableList, .emptyableList])
        #expect(levels.definition == [0, 0, 1, 0, 0, 2, 3, 0])
        #expect(levels.visibleCount == 5)
        #expect(levels.rowCount == 3)
        #expect(values.reduce(0) { $0 + $1.length } == 5)
    }

    @Test("levels are numbered from the inside, null list below empty list")
    func definitionExample() throws {
        // A struct of lists of nullable integers: [1, null], null list, empty list, null struct.
        let list = ArrowArray.list(of: .int32([1, nil]), lengths: [2, nil, 0, 0])
        let rows = ArrowArray.structure([("l", list)], validity: [true, true, true, false])
        let (levels, _) = try build(rows, [.structure(child: 0), .list])
        #expect(levels.layers == [.nullableItem, .nullAndEmptyList, .nullableItem])
        #expect(levels.definition == [0, 1, 2, 3, 4])
        #expect(levels.repetition == [1, 0, 1, 1, 1])
        #expect(levels.maxVisibleDefinition == 1)
        #expect(levels.visibleCount == 2)
    }

    @Test("a column without nulls and lists has no levels")
    func noLevels() throws {
        let (levels, _) = try build(.structure([("a", .int32([1, 2, 3]))]), [.structure(child: 0)])
        #expect(levels.definition == nil)
        #expect(levels.repetition == nil)
        #expect(levels.layers == [.allValidItem, .allValidItem])
    }

    @Test("validity goes into levels and comes out of them, whatever its length and first bit")
    func validityRoundTrip() throws {
        var random = SplitMix64(seed: 0x1E7E)
        for length in 0...300 {
            let rare = Int.random(in: 1...20, using: &random)
            let values: [Int32?] = (0..<(length + 9)).map { _ in
                Int.random(in: 0..<20, using: &random) < rare ? nil : 7
            }
            let first = Int.random(in: 0..<9, using: &random)
            let slice = Array(values[first..<(first + length)])
            let (levels, _) = try build(ArrowArray.int32(values).slice(first..<(first + length)), [])
            let expected = slice.map { UInt16($0 == nil ? 1 : 0) }
            #expect((levels.definition ?? expected.map { _ in 0 }) == expected, "length \(length) from \(first)")
            let validity = levels.slotValidity()
            #expect((0..<length).allSatisfy { validity?[$0] ?? true == (slice[$0] != nil) }, "length \(length)")
            #expect(validity.map { $0.setCount } ?? length == slice.count { $0 != nil })
        }
    }

    @Test("values masked by null structs keep their slot, the outer null wins")
    func maskedSlots() throws {
        let rows = ArrowArray.structure([("a", .int32([1, nil, nil, 4]))], validity: [true, true, false, false])
        let (levels, values) = try build(rows, [.structure(child: 0)])
        #expect(levels.layers == [.nullableItem, .nullableItem])
        #expect(levels.definition == [0, 1, 2, 2])
        #expect(values.first?.length == 4)
        #expect(levels.slotValidity()?.bools == [true, false, false, false])
    }

    @Test("content behind null lists and null structs is dropped, slices start anywhere")
    func droppedContent() throws {
        let offsets = ArrowBuffer([Int32(0), 2, 4, 6, 7])
        let list = ArrowArray(
            type: .list(ArrowField("item", .int32)),
            length: 4,
            validity: Bitmap([true, false, true, true]),
            storage: .list(offsets: offsets, child: .int32([1, 2, 3, 4, 5, 6, 7]))
        )
        let (levels, values) = try build(list, [.list])
        #expect(levels.definition == [0, 0, 1, 0, 0, 0])
        #expect(levels.repetition == [1, 0, 1, 1, 0, 1])
        #expect(try ArrowArray.concatenating(values).isEqual(to: .int32([1, 2, 5, 6, 7])))

        let rows = ArrowArray.structure([("l", list)], validity: [false, true, true, true])
        let (masked, left) = try build(rows.slice(0..<3), [.structure(child: 0), .list])
        #expect(masked.definition == [2, 1, 0, 0])
        #expect(try ArrowArray.concatenating(left).isEqual(to: .int32([5, 6])))
    }

    @Test("a list in a null struct makes its layer nullable, as readers expect")
    func maskedList() throws {
        let list = ArrowArray.list(of: .int32([1, 2]), lengths: [2, 0]).slice(0..<2)
        let rows = ArrowArray.structure([("l", list)], validity: [true, false])
        let (levels, _) = try build(rows, [.structure(child: 0), .list])
        #expect(levels.layers == [.allValidItem, .nullableList, .nullableItem])
        #expect(levels.definition == [0, 0, 2])
    }

    @Test("a fixed-size list of structs repeats its entries")
    func vectorOfStructs() throws {
        let items = ArrowArray.structure([("a", .int32([1, 2, nil, 4, 5, 6]))])
        let rows = ArrowArray(
            type: .fixedSizeList(ArrowField("item", items.type), 2),
            length: 3,
            validity: Bitmap([true, true, false]),
            storage: .fixedSizeList(child: items)
        )
        let (levels, values) = try build(rows, [.fixedSizeList(dimension: 2), .structure(child: 0)])
        #expect(levels.layers == [.nullableItem, .allValidItem, .nullableItem])
        #expect(levels.definition == [0, 0, 1, 0, 2, 2])
        #expect(levels.rowCount == 3)
        #expect(values.first?.length == 6)
    }

    @Test("nulls among the values of a dictionary are nulls of the column")
    func dictionaryNulls() throws {
        let array = ArrowArray(
            type: .dictionary(index: .int8, value: .utf8, ordered: false),
            length: 3,
            storage: .dictionary(indices: ArrowBuffer([Int8(0), 1, 0]), values: .utf8(["x", nil]))
        )
        let (levels, _) = try build(array, [], leaf: array.type)
        #expect(levels.definition == [0, 1, 0])
    }

    @Test("list offsets that run backwards or out of the child are refused")
    func badOffsets() {
        for offsets in [[Int32(0), 3, 2], [0, 1, 9], [-1, 0, 1]] {
            let list = ArrowArray(
                type: .list(ArrowField("item", .int32)),
                length: 2,
                storage: .list(offsets: ArrowBuffer(offsets), child: .int32([1, 2, 3]))
            )
            #expect(throws: LanceError(.corrupt, "")) { try build(list, [.list]) }
        }
    }

    // MARK: All small shapes

    private indirect enum Value {
        case null
        case item
        case list([Value])
    }

    /// The levels of rows of lists of lists by the rules, with raw codes (layer, empty) that are numbered at the end.
    private struct Reference {
        var repetition: [UInt16] = []
        var codes: [(layer: Int, empty: Bool)?] = []

        mutating func add(_ value: Value, layer: Int, _ level: UInt16) {
            switch value {
            case .item: append(level, nil)
            case .null: append(level, (layer, false))
            case .list(let items) where items.isEmpty: append(level, (layer, true))
            case .list(let items):
                for (index, item) in items.enumerated() {
                    add(item, layer: layer - 1, index == 0 ? level : UInt16(layer - 1))
                }
            }
        }

        private mutating func append(_ level: UInt16, _ code: (layer: Int, empty: Bool)?) {
            repetition.append(level)
            codes.append(code)
        }

        var definition: [UInt16] {
            var number: [Int: UInt16] = [:]
            var next: UInt16 = 1
            for code in 0..<6 where codes.contains(where: { $0.map { $0.layer * 2 + ($0.empty ? 1 : 0) } == code }) {
                number[code] = next
                next += 1
            }
            return codes.map { code in code.flatMap { number[$0.layer * 2 + ($0.empty ? 1 : 0)] } ?? 0 }
        }
    }

    private func array(_ rows: [Value]) -> ArrowArray {
        func parts(_ values: [Value]) -> (lengths: [Int?], items: [Value]) {
            var lengths: [Int?] = []
            var items: [Value] = []
            for value in values {
                if case .list(let children) = value {
                    lengths.append(children.count)
                    items += children
                } else {
                    lengths.append(nil)
                }
            }
            return (lengths, items)
        }
        let outer = parts(rows)
        let inner = parts(outer.items)
        let leaf = ArrowArray.int32(inner.items.map { if case .item = $0 { 7 } else { nil } })
        return .list(of: .list(of: leaf, lengths: inner.lengths), lengths: outer.lengths)
    }

    @Test("all lists of lists with up to two entries each, one and two rows")
    func allSmallShapes() throws {
        let leaves: [Value] = [.null, .item]
        func lists(of items: [Value]) -> [Value] {
            [.null, .list([])] + items.map { .list([$0]) } + items.flatMap { a in items.map { .list([a, $0]) } }
        }
        let rows = lists(of: lists(of: leaves))
        let path = LeafPath(steps: [.list, .list], leafType: .int32)
        var failures = 0
        for first in rows {
            for second in [nil] + rows.map(Optional.some) {
                let table = [first] + (second.map { [$0] } ?? [])
                var reference = Reference()
                for row in table { reference.add(row, layer: 2, 2) }
                var builder = LevelBuilder(path)
                try builder.append(array(table))
                let (levels, _) = builder.finish()
                if levels.repetition != reference.repetition
                    || levels.definition ?? levels.repetition?.map({ _ in 0 }) != reference.definition
                {
                    failures += 1
                }
            }
        }
        #expect(failures == 0)
    }
}
