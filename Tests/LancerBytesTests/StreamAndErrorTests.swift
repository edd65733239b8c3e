import LancerBytes
import Testing

@Suite("Sources and streams over memory")
struct MemoryStreamTests {
    @Test(
        "a source refuses ranges outside",
        arguments: [
            (UInt64(9), 2), (UInt64.max, 1), (UInt64(0), -1), (UInt64(11), 0), (UInt64(1), Int.max),
        ]
    )
    func outside(offset: UInt64, count: Int) {
        let source = BufferSource(ArrowBuffer(zeroed: 10))
        #expect(throws: LanceError(.truncated, "")) { try source.read(offset: offset, count: count) }
    }

    @Test("a stream ends with empty buffers, as often as it is asked")
    func end() throws {
        var stream = BufferStream(ArrowBuffer([1, 2, 3, 4, 5] as [UInt8]))
        #expect(try stream.read(upTo: 2).bytes == [1, 2])
        #expect(try stream.read(upTo: 100).bytes == [3, 4, 5])
        #expect(try stream.read(upTo: 1).count == 0)
        #expect(try stream.read(upTo: 1).count == 0)
    }
}

@Suite("Errors")
struct ErrorTests {
    @Test("a message says class, what and where, and what is known first wins")
    func description() {
        let error = LanceError.corrupt("a bad length", part: "chunk 7", offset: 12)
            .located(part: "page 3").located(file: "a.lance").located(file: "b.lance", offset: 99)
        #expect(error.description == "corrupt: a bad length [a.lance, page 3, chunk 7, byte 12]")
        #expect(LanceError(.io, "no").description == "io: no")
        #expect(LanceError(.io, "no", cause: LanceError(.notFound, "x")).description == "io: no (notFound: x)")
    }

    @Test("errors are compared by class")
    func equality() {
        #expect(LanceError(.io, "a") == LanceError(.io, "b"))
        #expect(LanceError(.io, "a") != LanceError(.corrupt, "a"))
    }
}
