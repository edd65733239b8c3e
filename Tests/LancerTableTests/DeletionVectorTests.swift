import LancerArrow
import LancerBytes
import LancerTable
import LancerTestSupport
import Testing

@Suite("Deletion vectors")
struct DeletionVectorTests {
    @Test("every question is answered as by a plain set")
    func againstSet() {
        var random = SplitMix64(seed: 3)
        for round in 0..<300 {
            let length = random.int(1...200)
            let rate = Double(round % 11) / 10
            let deleted = (0..<length).filter { _ in random.chance(rate) }
            let vector = DeletionVector(sortedOffsets: deleted.map { UInt32($0) })
            let set = Set(deleted)
            let live = (0..<length).filter { !set.contains($0) }
            #expect(vector.count == deleted.count)
            #expect(vector.upperBound == (deleted.last.map { $0 + 1 } ?? 0))
            #expect(live.indices.allSatisfy { vector.offset(ofLiveRow: $0) == live[$0] })
            for offset in 0...length {
                #expect(vector.deletedCount(before: offset) == deleted.count { $0 < offset })
                #expect(vector.contains(offset) == set.contains(offset))
            }
            let start = random.int(0...length)
            let range = start..<random.int(start...length)
            #expect(vector.liveRanges(in: range).flatMap { Array($0) } == range.filter { !set.contains($0) })
            #expect(vector.liveBitmap(in: range).bools == range.map { !set.contains($0) })
        }
    }

    @Test("repeats and the last possible offset are fine")
    func edges() {
        let vector = DeletionVector(sortedOffsets: [5, 5, 6, .max - 1, .max, .max])
        #expect(vector.count == 4)
        #expect(vector.contains(5) && vector.contains(6) && !vector.contains(7))
        #expect(vector.upperBound == 1 << 32)
        #expect(DeletionVector().offset(ofLiveRow: 7) == 7)
    }
}
