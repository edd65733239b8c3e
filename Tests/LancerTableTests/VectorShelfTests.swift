import LancerTable
import LancerTestSupport
import Testing

@Suite("Vectors kept for exact comparison")
struct VectorShelfTests {
    private static let width = 96

    /// The bytes of a row's vector; none for some rows.
    private static func bytes(_ fragment: Int, _ row: Int) -> [UInt8]? {
        if (fragment + row) % 11 == 0 { return nil }
        return (0..<width).map { UInt8(truncatingIfNeeded: fragment &* 31 &+ row &* 7 &+ row >> 8 &+ $0) }
    }

    private static func key(_ fragment: Int) -> VectorShelf.Key {
        VectorShelf.Key(fragment: UInt64(fragment), fieldID: 1, files: [])
    }

    private static func keep(_ shelf: VectorShelf, _ fragment: Int, _ rows: [Int], rowCount: Int, limit: Int) {
        var memory: [UInt8] = []
        var places: [Int?] = []
        for row in rows {
            let bytes = bytes(fragment, row)
            places.append(bytes.map { _ in memory.count })
            memory += bytes ?? []
        }
        memory.withUnsafeBytes { memory in
            shelf.keep(key(fragment), rowCount: rowCount, width: width, offsets: rows, limit: limit) { place in
                places[place].flatMap { at in memory.baseAddress.map { $0 + at } }
            }
        }
    }

    @Test(
        "what is found is what was kept, whatever the limit, which is kept to",
        arguments: [0, 40_000, 2_200_000, 1 << 30]
    )
    func contents(limit: Int) {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        let shelf = VectorShelf()
        let rowCounts = [5000, 40, 20_000, 3000]
        var hits = 0
        for _ in 0..<1500 {
            let fragment = Int.random(in: 0..<rowCounts.count, using: &random)
            let rows = (0..<60).map { _ in Int.random(in: 0..<rowCounts[fragment], using: &random) }
            let found = shelf.find(Self.key(fragment), count: rows.count) { rows[$0] }
            var missing: Set<Int> = []
            for (index, row) in rows.enumerated() {
                switch found[index] {
                case .unknown: missing.insert(row)
                case .null: #expect(Self.bytes(fragment, row) == nil, "seed \(seed)")
                case .bytes(let bytes):
                    let vector = Array(UnsafeRawBufferPointer(start: bytes, count: Self.width))
                    #expect(vector == Self.bytes(fragment, row), "seed \(seed)")
                    hits += 1
                }
            }
            withExtendedLifetime(found) {}
            Self.keep(shelf, fragment, missing.sorted(), rowCount: rowCounts[fragment], limit: limit)
            #expect(shelf.byteCount <= limit, "seed \(seed)")
        }
        #expect((hits > 0) == (limit > 0))
        shelf.shrink(to: 0)
        #expect(shelf.byteCount == 0)
    }

    @Test("vectors of one key are not another's")
    func keys() {
        let shelf = VectorShelf()
        Self.keep(shelf, 1, [1, 2, 3], rowCount: 10, limit: 1 << 20)
        let other = VectorShelf.Key(fragment: 1, fieldID: 2, files: [])
        let found = shelf.find(other, count: 3) { $0 + 1 }
        for index in 0..<3 {
            guard case .unknown = found[index] else {
                Issue.record("row \(index) of another column was found")
                continue
            }
        }
    }
}
