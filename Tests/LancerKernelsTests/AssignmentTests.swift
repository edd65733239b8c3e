import LancerKernels
import Testing

@Suite("centroid assignment")
struct AssignmentTests {
    @Test("finds the nearest centroid, or one as near but for rounding")
    func nearest() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Random(seed)
        for dimension in [1, 2, 3, 4, 8, 15, 16, 17, 33, 128, 384] {
            for k in [1, 2, 31, 32, 33, 63, 64, 65, 256, 700] {
                let count = Int.random(in: 0...150, using: &random)
                let centroids = random.floats(k * dimension)
                let rows = random.floats(count * dimension)
                let memory = Shifted(rows, shift: Int.random(in: 0...63, using: &random))
                let view = VectorRows(memory.start, count: count, dimension: dimension)
                for metric in [VectorMetric.l2, .dot] {
                    let panels = CentroidPanels(centroids, count: k, dimension: dimension, metric: metric)
                    atEveryLevel { level in
                        var index = [UInt32](repeating: 9, count: count)
                        var score = [Float](repeating: 9, count: count)
                        panels.assign(view, index: &index, score: &score)
                        let bad = (0..<count).filter { r in
                            !isBest(r, Int(index[r]), score[r], rows, centroids, k, dimension, metric)
                        }
                        #expect(bad.isEmpty, "\(level), seed \(seed), k \(k), dimension \(dimension), \(metric)")
                    }
                }
            }
        }
    }

    private func isBest(
        _ r: Int,
        _ found: Int,
        _ score: Float,
        _ rows: [Float],
        _ centroids: [Float],
        _ k: Int,
        _ dimension: Int,
        _ metric: VectorMetric
    ) -> Bool {
        guard found < k else { return false }
        let row = rows[r * dimension..<(r + 1) * dimension]
        func exact(_ c: Int) -> Double {
            let centroid = centroids[c * dimension..<(c + 1) * dimension]
            let product = Twin.dot(row, centroid).value
            return metric == .dot ? -product : Twin.dot(centroid, centroid).value / 2 - product
        }
        let best = (0..<k).map(exact).min() ?? 0
        let room = Double(dimension + 8) * 0x1p-22 * Double(dimension) * 4
        return exact(found) <= best + room && abs(Double(score) - exact(found)) <= room
    }

    @Test("equal centroids: the first of them; rows without a finite distance: none")
    func ties() {
        let centroids: [Float] = (0..<100).flatMap { [Float($0 % 7), 1] }
        let panels = CentroidPanels(centroids, count: 100, dimension: 2)
        let rows: [Float] = [3, 1, 6, 2, .nan, 1, .infinity, 0, -.infinity, 5, 0, 0]
        rows.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            let view = VectorRows(base, count: 6, dimension: 2)
            atEveryLevel { level in
                var index = [UInt32](repeating: 9, count: 6)
                var score = [Float](repeating: 9, count: 6)
                panels.assign(view, index: &index, score: &score)
                #expect(index[0] == 3 && index[1] == 6 && index[5] == 0, "\(level)")
                #expect(index[2] == CentroidPanels.none && score[2] == .infinity, "\(level)")
                #expect(index[3] == CentroidPanels.none && score[3] == .infinity, "\(level)")
                #expect(index[4] == CentroidPanels.none, "\(level)")
            }
        }
    }
}
