import Foundation
import LancerArrow
import LancerBytes
import LancerIndex
import Testing

@Suite("Damaged index files")
struct IndexDamageTests {
    /// Every byte with LANCER_FULL=1, else one in some hundred, from a start that differs each day.
    private static func places(_ count: Int) -> [Int] {
        if ProcessInfo.processInfo.environment["LANCER_FULL"] == "1" { return Array(0..<count) }
        let step = max(1, count / 160)
        let start = Int(Date().timeIntervalSince1970 / 86_400) % step
        print("places \(start), \(start + step), … of \(count)")
        // Ends hold lengths and offsets: all of those.
        return Array(stride(from: start, to: count, by: step)) + Array(max(0, count - 64)..<count)
    }

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
        for length in Self.places(whole.index.count) {
            let bytes = SegmentBytes(index: whole.index.slice(0..<length), auxiliary: whole.auxiliary)
            #expect(try await !Self.use(bytes, query), "index.idx cut to \(length)")
        }
        for length in Self.places(whole.auxiliary.count) {
            let bytes = SegmentBytes(index: whole.index, auxiliary: whole.auxiliary.slice(0..<length))
            #expect(try await !Self.use(bytes, query), "auxiliary.idx cut to \(length)")
        }
    }

    @Test("no inverted byte traps or hangs", arguments: PylanceIndex.all)
    func inverted(_ fixture: PylanceIndex) async throws {
        let whole = try fixture.bytes()
        let query = try fixture.answers()[0].query
        for place in Self.places(whole.index.count) {
            _ = try await Self.use(
                SegmentBytes(index: Self.inverted(whole.index, place), auxiliary: whole.auxiliary),
                query
            )
        }
        for place in Self.places(whole.auxiliary.count) {
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
