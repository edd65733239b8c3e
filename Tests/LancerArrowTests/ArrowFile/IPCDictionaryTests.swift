import LancerArrow
import LancerBytes
import Testing

@Suite("Arrow IPC: dictionaries")
struct IPCDictionaryTests {
    private static let type = ArrowType.dictionary(index: .int8, value: .utf8, ordered: false)
    private static let schema = ArrowSchema([ArrowField("d", type)])

    private func batch(_ indices: [Int8?], _ values: [String?]) throws -> RecordBatch {
        try RecordBatch(schema: Self.schema, columns: [column(indices, .utf8(values))])
    }

    private func column(_ indices: [Int8?], _ values: ArrowArray) -> ArrowArray {
        ArrowArray(
            type: .dictionary(index: .int8, value: values.type, ordered: false),
            length: indices.count,
            validity: Bitmap(count: indices.count) { indices[$0] != nil },
            storage: .dictionary(indices: ArrowBuffer(indices.map { $0 ?? 77 }), values: values)
        )
    }

    private func texts(_ batches: [RecordBatch]) -> [[ArrowValue]] {
        batches.map { batch in (0..<batch.rowCount).map { batch.columns[0].value(at: $0) } }
    }

    private func dictionarySize(_ batch: RecordBatch) -> Int {
        guard case .dictionary(_, let values) = batch.columns[0].storage else { return -1 }
        return values.length
    }

    @Test("batches with different dictionaries come back with the same values in both formats")
    func differentDictionaries() throws {
        let batches = [
            try batch([0, 1, nil, 0], ["a", "b"]), try batch([0, 1, 2], ["a", "b", "c"]),
            try batch([2, 1, 0, nil], ["x", "b", nil]), try batch([1], ["x", "x"]), try batch([], []),
            try batch([0, 0], ["a"]),
        ]
        for form in IPCForm.allCases {
            for compression in [IPCCompression.none, .zstd(level: 3)] {
                let read = try form.read(form.write(Self.schema, batches, compression))
                #expect(texts(read.batches) == texts(batches), "\(form)")
            }
        }
    }

    @Test("a file's dictionary grows by new values only and keeps repeats of the first")
    func merging() throws {
        let batches = [
            try batch([0, 1, 2], ["a", "a", "b"]), try batch([0, 1], ["b", "c"]), try batch([0, 1], ["c", "a"]),
        ]
        let read = try IPCForm.file.read(IPCForm.file.write(Self.schema, batches)).batches
        #expect(read.map(dictionarySize) == [4, 4, 4])
        #expect(texts(read) == texts(batches))
    }

    @Test("a dictionary that does not change is written once")
    func unchanged() throws {
        let values = (0..<100).map { "value number \($0)" }
        for form in IPCForm.allCases {
            let one = try form.write(Self.schema, [try batch([0, 99], values)])
            let ten = try form.write(Self.schema, (0..<10).map { _ in try batch([0, 99], values) })
            #expect(ten.count - one.count < 9 * 400, "\(form)")
        }
    }

    @Test("more values than the index type can number are an error in a file and none in a stream")
    func overflow() throws {
        let batches = [
            try batch([0], (0..<100).map { "a\($0)" }), try batch([0, 27], (0..<28).map { "b\($0)" }),
            try batch([0], ["c"]),
        ]
        #expect(
            try texts(IPCForm.file.read(IPCForm.file.write(Self.schema, Array(batches.prefix(2)))).batches).count == 2
        )
        #expect(throws: LanceError(.limitExceeded, "")) { try IPCForm.file.write(Self.schema, batches) }
        let read = try IPCForm.stream.read(IPCForm.stream.write(Self.schema, batches))
        #expect(texts(read.batches) == texts(batches))
    }

    @Test("dictionaries inside lists, structs and other dictionaries")
    func nested() throws {
        func nestedBatch(_ inner: [String], _ outer: [Int8?]) throws -> RecordBatch {
            let leaf = column([1, 0, nil], .utf8(inner))
            let values = ArrowArray.structure([
                ("s", leaf), ("l", .list(of: column([0, 1, 1], .utf8(inner)), lengths: [2, nil, 1])),
            ])
            let column = column(outer, values)
            return try RecordBatch(schema: ArrowSchema([ArrowField("d", column.type)]), columns: [column])
        }
        let batches = [
            try nestedBatch(["p", "q"], [0, 1, 2, nil]), try nestedBatch(["p", "q"], [2, 2]),
            try nestedBatch(["q", "r"], [1, 0, 2]), try nestedBatch(["p", "q", "z"], [1]),
        ]
        for form in IPCForm.allCases {
            let read = try form.read(form.write(batches[0].schema, batches))
            #expect(texts(read.batches) == texts(batches), "\(form)")
        }
    }

    @Test("a dictionary of dictionaries is refused by name")
    func dictionaryOfDictionaries() throws {
        let schema = ArrowSchema([ArrowField("d", .dictionary(index: .int8, value: Self.type, ordered: false))])
        #expect(throws: LanceError(.unsupported, "")) { try ArrowIPCStreamWriter(schema: schema, sink: MemorySink()) }
    }
}
