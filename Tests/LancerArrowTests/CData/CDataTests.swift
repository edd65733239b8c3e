import CArrowData
import LancerArrow
import LancerBytes
import LancerTestSupport
import Testing

@Suite("C data interface")
struct CDataTests {
    private func roundTrip(_ field: ArrowField) throws -> ArrowField {
        var schema = CArrowSchema()
        ArrowCData.export(field, to: &schema)
        #expect(schema.release != nil)
        let back = try ArrowCData.importField(from: &schema)
        #expect(schema.release == nil)
        return back
    }

    @Test("every type crosses and comes back, names, nullability and metadata included")
    func types() throws {
        var random = SplitMix64(seed: 31)
        for type in typesToTry(300, &random) {
            let field = ArrowField(
                "n\u{e4}me",
                type,
                nullable: random.chance(0.5),
                metadata: random.chance(0.5) ? ["b": "", "a": "x\u{0}y", "": "1"] : [:]
            )
            #expect(try roundTrip(field) == field)
        }
        let entries = ArrowField(
            "entries",
            .structure([ArrowField("k", .int8, nullable: false), ArrowField("v", .int8)]),
            nullable: false
        )
        #expect(try roundTrip(ArrowField("", .map(entries, keysSorted: true))).type == .map(entries, keysSorted: true))
    }

    @Test(
        "formats are those of the specification",
        arguments: [
            (ArrowType.decimal128(precision: 12, scale: -3), "d:12,-3"),
            (.decimal256(precision: 40, scale: 5), "d:40,5,256"),
            (.timestamp(.nanosecond, timezone: "Europe/Berlin"), "tsn:Europe/Berlin"),
            (.timestamp(.second, timezone: nil), "tss:"),
            (.time32(.millisecond), "ttm"), (.time64(.nanosecond), "ttn"), (.duration(.microsecond), "tDu"),
            (.date32, "tdD"),
            (.date64, "tdm"), (.fixedSizeBinary(42), "w:42"), (.fixedSizeList(ArrowField("i", .int8), 123), "+w:123"),
            (.dictionary(index: .int16, value: .utf8, ordered: false), "s"), (.largeUtf8, "U"), (.float16, "e"),
            (.null, "n"),
        ]
    )
    func formats(type: ArrowType, format: String) {
        var schema = CArrowSchema()
        ArrowCData.export(ArrowField("f", type), to: &schema)
        #expect(String(cString: schema.format) == format)
        schema.release?(&schema)
    }

    @Test("formats Lancer has no type for are named, nonsense is refused")
    func foreignFormats() {
        func code(_ format: String) -> LanceError.Code? {
            format.withCString { (text) -> LanceError.Code? in
                var schema = CArrowSchema()
                schema.format = text
                schema.release = { $0?.pointee.release = nil }
                do {
                    _ = try ArrowCData.importField(from: &schema)
                    return nil
                } catch { return (error as? LanceError)?.code }
            }
        }
        for format in ["vu", "vz", "tiM", "tiD", "tin", "+us:1", "+ud:0,1", "+r", "+vl", "+vL", "d:5,2,32", "d:5,2,64"]
        {
            #expect(code(format) == .unsupported, "\(format)")
        }
        for format in [
            "", "x", "+x", "w:-1", "w:", "d:1", "d:1,2,3", "d:39,0", "d:0,0", "d:77,0,256", "d:5,9999999999", "d:a,b",
            "tsx:", "ts", "+l", "+m", "+w:5", "tt", "ii",
        ] {
            #expect(code(format) == .corrupt, "\(format)")
        }
        #expect(code("i") == nil)
    }

    @Test("arrays of every type cross and come back equal, slices included")
    func arrays() throws {
        var random = SplitMix64(seed: 32)
        for type in typesToTry(400, &random) {
            let array = RandomArrays().array(type, length: random.pick([0, 1, 9, 70]), &random)
            var exported = CArrowArray()
            ArrowCData.export(array, to: &exported)
            #expect(exported.length == array.length && exported.null_count == array.nullCount)
            let back = try ArrowCData.importArray(from: &exported, as: type)
            #expect(exported.release == nil)
            #expect(back.firstDifference(from: array) == nil, "\(type)")
        }
    }

    @Test("memory is shared, and released with the last array over it")
    func sharing() throws {
        var releases = 0
        let counter = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        defer { counter.deallocate() }
        counter.initialize(to: 0)
        let values = UnsafeMutablePointer<Int32>.allocate(capacity: 4)
        defer { values.deallocate() }
        for index in 0..<4 { values[index] = Int32(index * 10) }
        let buffers = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: 2)
        defer { buffers.deallocate() }
        buffers[0] = nil
        buffers[1] = UnsafeRawPointer(values)
        var source = CArrowArray()
        source.length = 3
        source.offset = 1
        source.n_buffers = 2
        source.buffers = buffers
        source.private_data = UnsafeMutableRawPointer(counter)
        source.release = { array in
            guard let array else { return }
            array.pointee.private_data?.assumingMemoryBound(to: Int.self).pointee += 1
            array.pointee.release = nil
        }
        do {
            let array = try ArrowCData.importArray(from: &source, as: .int32)
            values[2] = 77
            #expect(array.allValues == [10, 77, 30])
            let part = array.slice(1..<2)
            releases = counter.pointee
            #expect(releases == 0)
            #expect(part.allValues == [77])
        }
        #expect(counter.pointee == 1)
    }

    @Test("offsets of the other side are applied to values, bits, offsets and children")
    func offsets() throws {
        var random = SplitMix64(seed: 33)
        for type in typesToTry(300, &random) {
            // A top-level offset over an array exported whole: what a library with offsets in its arrays hands out.
            var options = RandomArrays()
            options.slices = false
            let array = options.array(type, length: 40, &random)
            var exported = CArrowArray()
            ArrowCData.export(array, to: &exported)
            let start = random.int(0...20)
            let count = random.int(0...19)
            exported.offset = Int64(start)
            exported.length = Int64(count)
            exported.null_count = type == .null ? Int64(count) : -1
            let back = try ArrowCData.importArray(from: &exported, as: type)
            #expect(back.firstDifference(from: array.slice(start..<(start + count))) == nil, "\(type)")
        }
    }

    @Test("structures that make no sense are refused and released")
    func hostile() {
        func expectError(_ array: ArrowArray, as type: ArrowType? = nil, _ change: (inout CArrowArray) -> Void) {
            var exported = CArrowArray()
            ArrowCData.export(array, to: &exported)
            change(&exported)
            #expect(throws: LanceError.corrupt("")) {
                try ArrowCData.importArray(from: &exported, as: type ?? array.type)
            }
            #expect(exported.release == nil)
        }
        let numbers = ArrowArray.int32([1, 2])
        expectError(numbers) { $0.length = -1 }
        expectError(numbers) { $0.offset = -1 }
        expectError(numbers) { $0.offset = .max }
        expectError(numbers) { $0.length = .max }
        expectError(numbers) { $0.n_buffers = 1 }
        expectError(numbers) { $0.null_count = 1 }
        expectError(numbers) { $0.buffers[1] = nil }
        expectError(numbers, as: .utf8) { _ in }
        let list = ArrowArray.list(of: numbers, lengths: [1, 1])
        expectError(list) { $0.n_children = 0 }
        expectError(list) { $0.children[0]?.pointee.length = 1 }
        expectError(ArrowArray.structure([("a", numbers)])) { $0.length = 3 }
        expectError(
            ArrowArray(
                type: .binary,
                length: 1,
                storage: .variableWidth(offsets: ArrowBuffer([Int32(0), -5]), data: .empty)
            )
        ) { _ in }
        var released = CArrowArray()
        #expect(throws: LanceError.invalidArgument("")) { try ArrowCData.importArray(from: &released, as: .int32) }
    }

    @Test("children moved out by the receiver live on without their parent")
    func movedChildren() throws {
        var exported = CArrowArray()
        ArrowCData.export(ArrowArray.structure([("a", .int32([1, 2])), ("b", .utf8(["x", "y"]))]), to: &exported)
        let child = try #require(exported.children[1])
        var moved = child.pointee
        child.pointee.release = nil
        exported.release?(&exported)
        #expect(try ArrowCData.importArray(from: &moved, as: .utf8).allValues == ["x", "y"])
    }

    private struct Batches: RecordBatchReader {
        let schema: ArrowSchema
        var left: [RecordBatch]
        var failure: LanceError?

        mutating func next() throws -> RecordBatch? {
            if left.isEmpty {
                if let failure { throw failure }
                return nil
            }
            return left.removeFirst()
        }
    }

    @Test("a stream of batches crosses and comes back, failures with their message")
    func streams() throws {
        var random = SplitMix64(seed: 34)
        let batch = try RandomArrays().batch(columns: 4, rows: 50, &random)
        let parts = [batch.slice(0..<20), batch.slice(20..<20), batch.slice(20..<50)]
        for failure in [nil, LanceError(.notFound, "no more bytes")] {
            var stream = CArrowArrayStream()
            ArrowCData.export(Batches(schema: batch.schema, left: parts, failure: failure), to: &stream)
            var reader = try ArrowCStreamReader(taking: &stream)
            #expect(stream.release == nil)
            #expect(reader.schema == batch.schema)
            var read: [RecordBatch] = []
            if failure == nil {
                while let next = try reader.next() { read.append(next) }
                #expect(try reader.next() == nil)
            } else {
                do {
                    while let next = try reader.next() { read.append(next) }
                    Issue.record("no error")
                } catch {
                    #expect("\(error)".contains("no more bytes"))
                }
            }
            #expect(try RecordBatch.concatenating(read).firstDifference(from: batch) == nil)
        }
    }
}
