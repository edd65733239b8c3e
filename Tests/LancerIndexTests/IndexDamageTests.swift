import LancerArrow
import LancerBytes
import LancerIndex
import Testing

@Suite("Damaged index files")
struct IndexDamageTests {
    /// Opens and searches; any error must be a `LanceError`.
    private static func use(_ bytes: SegmentBytes, _ query: [Float]) async throws -> Bool {
        do {
            let segment = try await bytes.open()
            guard segment.model.dimension == query.count else { return true }
            _ = try await segment.search(query, SegmentSearchOptions(k: 5))
            _ = try await segment.rowIDs(ofPartition: 0)
            return true
        } catch is LanceError {
            return false
        }
    }

    @Test("files that end too early are refused", arguments: PylanceIndex.all)
    func truncated(_ fixture: PylanceIndex) async throws {
        let whole = try fixture.bytes()
        let query = try fixture.answers()[0].query
        for length in 0..<whole.index.count {
            let bytes = SegmentBytes(index: whole.index.slice(0..<length), auxiliary: whole.auxiliary)
            #expect(try await !Self.use(bytes, query), "index.idx cut to \(length)")
        }
        for length in 0..<whole.auxiliary.count {
            let bytes = SegmentBytes(index: whole.index, auxiliary: whole.auxiliary.slice(0..<length))
            #expect(try await !Self.use(bytes, query), "auxiliary.idx cut to \(length)")
        }
    }

    @Test("no inverted byte traps or hangs", arguments: PylanceIndex.all)
    func inverted(_ fixture: PylanceIndex) async throws {
        let whole = try fixture.bytes()
        let query = try fixture.answers()[0].query
        for place in 0..<whole.index.count {
            _ = try await Self.use(
                SegmentBytes(index: Self.inverted(whole.index, place), auxiliary: whole.auxiliary),
                query
            )
        }
        for place in 0..<whole.auxiliary.count {
            _ = try await Self.use(
                SegmentBytes(index: whole.index, auxiliary: Self.inverted(whole.auxiliary, place)),
                query
            )
        }
    }

    private static func inverted(_ buffer: ArrowBuffer, _ place: Int) -> ArrowBuffer {
        var bytes = buffer.bytes
        bytes[place] = ~bytes[place]
        return ArrowBuffer(bytes)
    }
}
