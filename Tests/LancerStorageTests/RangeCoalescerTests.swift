import LancerBytes
import LancerStorage
import LancerTestSupport
import Testing

@Suite("Coalescing ranges")
struct RangeCoalescerTests {
    @Test("ranges near each other become one read, in whatever order they come")
    func neighbours() {
        let coalescer = RangeCoalescer(gap: 10, limit: 100)
        let plan = coalescer.plan(for: [200..<210, 0..<5, 15..<20, 31..<40, 220..<230])
        #expect(plan.reads.map(\.bytes) == [0..<20, 31..<40, 200..<230])
        #expect(plan.reads.map { Array(plan.order[$0.members]) } == [[1, 2], [3], [0, 4]])
    }

    @Test("every range lies in exactly one read, no read of several is over the limit")
    func allServed() {
        var random = SplitMix64(seed: 11)
        for _ in 0..<500 {
            let coalescer = RangeCoalescer(gap: UInt64(random.int(0...20)), limit: UInt64(random.int(1...80)))
            let ranges = (0..<random.int(0...20)).map { _ in
                let start = UInt64(random.int(0...300))
                return start..<(start + UInt64(random.int(0...40)))
            }
            let plan = coalescer.plan(for: ranges)
            let served = plan.reads.flatMap { plan.order[$0.members] }
            #expect(served.sorted() == ranges.indices.filter { !ranges[$0].isEmpty })
            for read in plan.reads {
                let members = plan.order[read.members]
                let inside = members.allSatisfy {
                    read.bytes.lowerBound <= ranges[$0].lowerBound && ranges[$0].upperBound <= read.bytes.upperBound
                }
                #expect(inside)
                let longest = members.map { ranges[$0].count }.max() ?? 0
                #expect(read.bytes.count <= Int(coalescer.limit) || read.bytes.count == longest)
            }
        }
    }

    @Test("ranges at the end of the number space do not overflow")
    func extremes() {
        let plan = RangeCoalescer.local.plan(for: [(UInt64.max - 5)..<UInt64.max, 0..<1, 0..<UInt64.max])
        #expect(plan.reads.flatMap { plan.order[$0.members] }.sorted() == [0, 1, 2])
    }
}
