import LancerArrow
import LancerBytes
import Testing

@Suite("Arrow IPC: FlatBuffers messages")
struct IPCFlatBufferTests {
    @Test("what the builder writes is read again")
    func roundTrip() throws {
        var builder = FlatBufferBuilder()
        let text = builder.text("héllo")
        let inner = builder.table([(0, .number(Int64.min)), (3, .flag(true)), (1, .number(Int8(-1)))])
        let none = builder.table([])
        let tables = builder.vector([inner, none])
        let numbers = builder.vector(ofInt64: [1, -2, 3, -4], width: 2)
        let root = builder.table([
            (5, .reference(text)), (0, .number(UInt16(65535))), (2, .reference(tables)), (7, .reference(numbers)),
        ])
        let message = builder.finish(root: root)
        #expect(message.count % 8 == 0)
        let table = try FlatTable(rootOf: message)
        #expect(try table.text(5) == "héllo")
        #expect(try table.number(0, absent: UInt16(0)) == 65535)
        #expect(try table.number(1, absent: Int32(9)) == 9)
        #expect(try table.number(40, absent: Int32(9)) == 9)
        #expect(try table.text(6) == nil)
        let vector = try #require(try table.vector(2, stride: 4))
        #expect(vector.count == 2)
        #expect(try vector.table(0).number(0, absent: Int64(0)) == Int64.min)
        #expect(try vector.table(0).number(1, absent: Int8(0)) == -1)
        #expect(try vector.table(0).flag(3))
        #expect(try !vector.table(1).flag(3))
        #expect(throws: LanceError(.corrupt, "")) { try vector.table(2) }
        let pairs = try #require(try table.vector(7, stride: 16))
        #expect(pairs.count == 2)
        #expect(try pairs.number(1, at: 8, as: Int64.self) == -4)
    }

    /// A stream whose only message is a schema with `fields` made by the caller.
    private func stream(
        endianness: Int16 = 0,
        version: Int16 = 4,
        _ fields: (inout FlatBufferBuilder) -> [FlatBufferBuilder.Reference]
    ) -> ArrowBuffer {
        var builder = FlatBufferBuilder()
        let vector = { (list: [FlatBufferBuilder.Reference], builder: inout FlatBufferBuilder) in builder.vector(list) }
        let list = fields(&builder)
        let children = vector(list, &builder)
        let schema = builder.table([(0, .number(endianness)), (1, .reference(children))])
        let root = builder.table([(0, .number(version)), (1, .number(UInt8(1))), (2, .reference(schema))])
        let message = builder.finish(root: root)
        var bytes = BufferBuilder()
        bytes.append(UInt32.max)
        bytes.append(Int32(message.count))
        bytes.append(contentsOf: message)
        return bytes.finish()
    }

    private func field(
        _ type: UInt8,
        _ children: [FlatBufferBuilder.Reference],
        _ builder: inout FlatBufferBuilder
    ) -> FlatBufferBuilder.Reference {
        let details = builder.table([])
        let vector = builder.vector(children)
        return builder.table([(2, .number(type)), (3, .reference(details)), (5, .reference(vector))])
    }

    @Test("big-endian data and old versions are refused by name")
    func refusals() throws {
        let bigEndian = stream(endianness: 1) { [field(1, [], &$0)] }
        let old = stream(version: 2) { [field(1, [], &$0)] }
        let unknown = stream { [field(99, [], &$0)] }
        let fine = stream { [field(1, [], &$0)] }
        for bytes in [bigEndian, old, unknown] {
            #expect(throws: LanceError(.unsupported, "")) { try IPCForm.stream.read(bytes) }
        }
        #expect(try IPCForm.stream.read(fine).schema == ArrowSchema([ArrowField("", .null, nullable: false)]))
    }

    @Test("a schema of a million levels, and one that shares its children at each level, end in an error")
    func bombs() throws {
        let deep = stream { builder in
            var child = field(1, [], &builder)
            for _ in 0..<1000 { child = field(12, [child], &builder) }
            return [child]
        }
        #expect(throws: LanceError(.limitExceeded, "")) { try IPCForm.stream.read(deep) }
        let wide = stream { builder in
            var child = field(1, [], &builder)
            for _ in 0..<40 { child = field(13, [child, child, child, child], &builder) }
            return [child]
        }
        #expect(throws: LanceError(.limitExceeded, "")) { try IPCForm.stream.read(wide) }
    }
}
