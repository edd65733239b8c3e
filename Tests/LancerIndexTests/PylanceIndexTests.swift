import LancerArrow
import LancerBytes
import LancerIndex
import LancerKernels
import Testing

@Suite("Index files of the reference")
struct PylanceIndexTests {
    @Test("answers are those of pylance: the same rows, the same distances", arguments: PylanceIndex.all)
    func answers(_ fixture: PylanceIndex) async throws {
        let segment = try await fixture.bytes().open()
        #expect(segment.model.kind.rawValue == fixture.kind)
        #expect(segment.rowCount == 300 && segment.model.dimension == 8)
        var options = SegmentSearchOptions(k: 5)
        options.probes = .fixed(PylanceIndex.probes)
        for answer in try fixture.answers() {
            let found = try await segment.search(answer.query, options)[0]
            #expect(found.map(\.rowID).sorted() == answer.rowIDs.sorted())
            for (left, right) in zip(found.map(\.distance), answer.distances) {
                #expect(abs(left - right) <= 1e-5 * max(abs(right), 1e-2), "\(left) instead of \(right)")
            }
        }
    }

    @Test("rewriting an index changes no answer; graphs, which are built anew, hardly", arguments: PylanceIndex.all)
    func rewritten(_ fixture: PylanceIndex) async throws {
        let segment = try await fixture.bytes().open()
        let copy = try await MemoryIndex.combine([segment]).bytes.open()
        #expect(copy.partitionSizes == segment.partitionSizes)
        #expect(copy.model.isCompatible(with: segment.model))
        var options = SegmentSearchOptions(k: 5)
        options.ef = 200
        var same = 0
        var all = 0
        for answer in try fixture.answers() {
            let before = try await segment.search(answer.query, options)[0]
            let after = try await copy.search(answer.query, options)[0]
            if !segment.model.kind.hasGraph { #expect(after == before) }
            same += Set(before.map(\.rowID)).intersection(after.map(\.rowID)).count
            all += before.count
        }
        #expect(all == 40 && same >= 36)
    }

    @Test("other kinds are refused by name")
    func otherKinds() async throws {
        let error = await #expect(throws: LanceError.self) {
            try await PylanceIndex(name: "IVF_RQ-l2-float32").bytes().open()
        }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("IVF_RQ") == true)
    }

    @Test("an index of another column is refused")
    func otherColumn() async throws {
        let bytes = try PylanceIndex.all[0].bytes()
        await #expect(throws: LanceError(.schemaMismatch, "")) { try await bytes.open(element: .float64) }
        await #expect(throws: LanceError(.schemaMismatch, "")) { try await bytes.open(dimension: 9) }
        await #expect(throws: Never.self) { try await bytes.open(element: .float32, dimension: 8) }
    }
}
