import LancerArrow
import LancerBytes
import LancerTestSupport
import Testing

/// Every leaf type once, then random nested ones.
func typesToTry(_ count: Int, _ random: inout SplitMix64) -> [ArrowType] {
    let types = RandomTypes()
    return RandomTypes.allLeaves + (0..<count).map { _ in types.type(&random) }
}

@Suite("Compute")
struct ComputeTests {
    @Test("random arrays are valid and equal to themselves")
    func randomArraysAreValid() throws {
        var random = SplitMix64(seed: 1)
        for type in typesToTry(300, &random) {
            for length in [0, 1, 70] {
                let array = RandomArrays().array(type, length: length, &random)
                #expect(array.length == length)
                #expect(throws: Never.self, "\(type)") { try array.validate() }
                #expect(array.firstDifference(from: array) == nil, "\(type)")
            }
        }
    }

    @Test("gather gives the values asked for, in order, with nulls")
    func gather() throws {
        var random = SplitMix64(seed: 2)
        for type in typesToTry(300, &random) {
            let array = RandomArrays().array(type, length: 40, &random)
            let values = array.allValues
            let indices = (0..<60).map { _ in random.int(0...39) }
            let plain = try array.gather(indices)
            try plain.validate()
            #expect(plain.type == type)
            #expect(plain.allValues == indices.map { values[$0] }, "\(type)")
            let optional = indices.map { random.chance(0.3) ? nil : $0 }
            let holes = try array.gather(optional)
            try holes.validate()
            #expect(holes.allValues == optional.map { $0.map { values[$0] } ?? .null }, "\(type)")
            #expect(try array.gather([Int]()).length == 0)
            #expect(throws: LanceError.invalidArgument("")) { try array.gather([40]) }
            #expect(throws: LanceError.invalidArgument("")) { try array.gather([-2]) }
        }
    }

    @Test("filter keeps the values whose bit is set")
    func filter() throws {
        var random = SplitMix64(seed: 3)
        for type in typesToTry(200, &random) {
            let array = RandomArrays().array(type, length: 150, &random)
            for rate in [0, 0.02, 0.5, 0.97, 1] {
                let bits = (0..<160).map { _ in random.chance(rate) }
                let selection = Bitmap(bits).slice(7..<157)
                let kept = try array.filter(selection)
                try kept.validate()
                let expected = zip(array.allValues, selection.bools).filter(\.1).map(\.0)
                #expect(kept.allValues == expected, "\(type)")
            }
        }
        #expect(throws: LanceError.invalidArgument("")) { try ArrowArray.int8([1]).filter(Bitmap([])) }
    }

    @Test("concatenation gives all values in order")
    func concatenate() throws {
        var random = SplitMix64(seed: 4)
        for type in typesToTry(300, &random) {
            let arrays = (0..<random.int(1...4)).map { _ in
                RandomArrays().array(type, length: random.pick([0, 1, 3, 64, 65]), &random)
            }
            let whole = try ArrowArray.concatenating(arrays)
            try whole.validate()
            #expect(whole.allValues == arrays.flatMap(\.allValues), "\(type)")
            // The same cut differently is the same.
            let middle = whole.length / 2
            let again = try ArrowArray.concatenating([whole.slice(0..<middle), whole.slice(middle..<whole.length)])
            #expect(again.firstDifference(from: whole) == nil, "\(type)")
        }
        #expect(throws: LanceError.invalidArgument("")) { try ArrowArray.concatenating([]) }
        #expect(throws: LanceError.schemaMismatch("")) { try ArrowArray.concatenating([.int8([1]), .int16([1])]) }
    }

    @Test("dictionaries are merged without repeating values")
    func mergedDictionaries() throws {
        let type = ArrowType.dictionary(index: .int8, value: .utf8, ordered: false)
        let one = try ArrowArray.of(type, ["a", "b", nil])
        let two = try ArrowArray.of(type, ["b", "c"])
        let merged = try ArrowArray.concatenating([one, two])
        #expect(merged.allValues == ["a", "b", nil, "b", "c"])
        guard case .dictionary(_, let values) = merged.storage else { return }
        #expect(values.allValues == ["a", "b", "c"])
        let many = try (0..<2).map { part in
            try ArrowArray.of(type, (0..<100).map { .string("\(part)-\($0)") })
        }
        #expect(throws: LanceError.limitExceeded("")) { try ArrowArray.concatenating(many) }
    }

    @Test("an array is built again from its values, and equal")
    func rebuild() throws {
        var random = SplitMix64(seed: 5)
        for type in typesToTry(300, &random) {
            if case .dictionary = type { continue }
            let array = RandomArrays().array(type, length: 50, &random)
            if hasDictionary(type) { continue }
            let again = try ArrowArray.of(type, array.allValues)
            try again.validate()
            let difference = again.firstDifference(from: array)
            // Widening a signalling NaN to a double quiets it.
            #expect(difference == nil || difference?.contains("NaN") == true, "\(type): \(difference ?? "")")
        }
    }

    private func hasDictionary(_ type: ArrowType) -> Bool {
        if case .dictionary = type { return true }
        return type.children.contains { hasDictionary($0.type) }
    }

    @Test("changing one value is found, and where")
    func differences() throws {
        var random = SplitMix64(seed: 6)
        for type in typesToTry(300, &random) where type != .null {
            let array = RandomArrays().array(type, length: 40, &random)
            let position = random.int(0...39)
            var indices = Array(0..<40)
            indices[position] = (0..<40).first { array.value(at: $0) != array.value(at: position) } ?? position
            if indices[position] == position { continue }
            let changed = try array.gather(indices)
            let difference = array.firstDifference(from: changed)
            #expect(difference?.hasPrefix("value \(position)") == true, "\(type): \(difference ?? "equal")")
            #expect(!changed.isEqual(to: array))
        }
        let nested = ArrowArray.list(of: .structure([("x", .int32([1, 2, 3]))]), lengths: [1, 2])
        let other = ArrowArray.list(of: .structure([("x", .int32([1, 2, nil]))]), lengths: [1, 2])
        #expect(nested.firstDifference(from: other) == "value 1, item 1.x: 3 and null")
        #expect(ArrowArray.float64([0.0]).firstDifference(from: .float64([-0.0])) == "value 0: 0.0 and -0.0")
        #expect(ArrowArray.utf8(["a", "b"]).firstDifference(from: .utf8(["a", "bc"])) == "value 1: \"b\" and \"bc\"")
        #expect(ArrowArray.int8([1]).firstDifference(from: .int8([1, 2])) == "1 and 2 values")
    }

    @Test("what lies under nulls does not matter")
    func hiddenValues() {
        let bits = Bitmap([true, false])
        func array(_ values: [Int32]) -> ArrowArray {
            ArrowArray(type: .int32, length: 2, validity: bits, storage: .fixedWidth(ArrowBuffer(values)))
        }
        #expect(array([1, 2]).isEqual(to: array([1, 3])))
        #expect(!array([1, 2]).isEqual(to: array([2, 2])))
        let allValid = ArrowArray(
            type: .int32,
            length: 1,
            validity: Bitmap([true]),
            storage: .fixedWidth(ArrowBuffer([Int32(5)]))
        )
        #expect(allValid.isEqual(to: .int32([5])))
    }

    @Test("nulls and empty arrays of any type are valid")
    func nullsAndEmpty() throws {
        var random = SplitMix64(seed: 7)
        for type in typesToTry(300, &random) {
            let nulls = ArrowArray.nulls(type: type, length: 13)
            try nulls.validate()
            #expect(nulls.nullCount == 13)
            #expect(nulls.allValues.allSatisfy { $0 == .null })
            try ArrowArray.empty(type).validate()
            #expect(try ArrowArray.concatenating([.empty(type), nulls, .empty(type)]).isEqual(to: nulls))
        }
    }

    @Test("batches are concatenated, filtered and cut by column")
    func batches() throws {
        var random = SplitMix64(seed: 8)
        let batch = try RandomArrays().batch(columns: 5, rows: 90, &random)
        let parts = [batch.slice(0..<30), batch.slice(30..<31), batch.slice(31..<90)]
        #expect(try RecordBatch.concatenating(parts).firstDifference(from: batch) == nil)
        #expect(try batch.select(["c3", "c0"]).schema.fields.map(\.name) == ["c3", "c0"])
        #expect(throws: LanceError(.notFound, "")) { try batch.select(["nope"]) }
        let even = Bitmap(count: 90) { $0 % 2 == 0 }
        #expect(try batch.filter(even).isEqual(to: batch.gather(Array(stride(from: 0, to: 90, by: 2)))))
    }

    @Test("32-bit offsets do not overflow silently")
    func offsetOverflow() throws {
        let text = ArrowArray(
            type: .binary,
            length: 1,
            storage: .variableWidth(offsets: ArrowBuffer([Int32(0), 1 << 20]), data: ArrowBuffer(zeroed: 1 << 20))
        )
        #expect(throws: LanceError.limitExceeded("")) { try text.gather([Int](repeating: 0, count: 2048)) }
        #expect(try text.gather([0, 0]).length == 2)
    }
}
