import LancerBytes
import LancerIndex
import LancerKernels
import Testing

@Suite("k-means")
struct KMeansTests {
    @Test("finds well separated clusters")
    func separated() throws {
        let data = Clustered(count: 4000, dimension: 8, clusters: 20, spread: 0.01, seed: 7)
        let model = try data.withRows { try KMeans.train($0, .init(clusterCount: 20)) }
        // Each row lies within its cluster: 8 · 0.01² a row; a missed cluster would cost hundreds.
        #expect(model.inertia < 4000 * 8 * 0.01 * 0.01 * 1.2)
    }

    @Test("a seed gives the same centroids whatever the threads, another seed others")
    func deterministic() throws {
        let data = Clustered(count: 9000, dimension: 24, clusters: 50, spread: 0.5, seed: 8)
        var options = KMeans.Options(clusterCount: 40)
        options.sampledRowsPerCluster = 100
        let one = try data.withRows { try KMeans.train($0, options) }
        let three = try data.withRows { try KMeans.train($0, options, control: BuildControl(threads: 3)) }
        #expect(one.sampledRowCount == 4000)
        #expect(one.centroids.map { $0.bitPattern } == three.centroids.map { $0.bitPattern })
        #expect(one.inertia == three.inertia)
        options.seed = 43
        let other = try data.withRows { try KMeans.train($0, options) }
        #expect(other.centroids != one.centroids)
    }

    @Test("as many centroids as rows: each row its own")
    func everyRow() throws {
        let data = Clustered(count: 64, dimension: 5, clusters: 64, spread: 1, seed: 9)
        let model = try data.withRows { try KMeans.train($0, .init(clusterCount: 64)) }
        #expect(model.inertia < 1e-3)
    }

    @Test("duplicates only, rows with NaN, and rows with infinity do no harm")
    func odd() throws {
        let equal = [Float](repeating: 3, count: 100 * 4)
        let model = try equal.withUnsafeBytes {
            try KMeans.train(VectorRows($0.baseAddress!, count: 100, dimension: 4), .init(clusterCount: 7))
        }
        #expect(model.centroids == [Float](repeating: 3, count: 28))
        var data = Clustered(count: 500, dimension: 4, clusters: 5, spread: 0.1, seed: 3).floats
        for r in stride(from: 0, to: 500, by: 7) { data[r * 4 + 1] = r % 2 == 0 ? .nan : .infinity }
        let rest = try data.withUnsafeBytes {
            try KMeans.train(VectorRows($0.baseAddress!, count: 500, dimension: 4), .init(clusterCount: 5))
        }
        #expect(rest.centroids.allSatisfy { $0.isFinite })
        #expect(rest.inertia < 500 * 4 * 0.1 * 0.1 * 1.5)
        let nothing = [Float](repeating: .nan, count: 40)
        #expect(throws: LanceError(.invalidArgument, "")) {
            try nothing.withUnsafeBytes {
                try KMeans.train(VectorRows($0.baseAddress!, count: 10, dimension: 4), .init(clusterCount: 2))
            }
        }
    }

    @Test("impossible demands are errors, and a report can stop the training")
    func refused() throws {
        let data = Clustered(count: 50, dimension: 4, clusters: 5, spread: 0.1, seed: 3)
        for k in [0, -1, 51, .max] {
            #expect(throws: LanceError(.invalidArgument, "")) {
                try data.withRows { try KMeans.train($0, .init(clusterCount: k)) }
            }
        }
        let control = BuildControl { _, _ in false }
        #expect(throws: CancellationError.self) {
            try data.withRows { try KMeans.train($0, .init(clusterCount: 5), control: control) }
        }
    }

    @Test("rows are assigned in parallel as one by one, and residuals are what is left")
    func assignment() throws {
        let data = Clustered(count: 3000, dimension: 12, clusters: 9, spread: 0.4, seed: 5)
        let model = try data.withRows { try KMeans.train($0, .init(clusterCount: 9)) }
        let panels = CentroidPanels(model.centroids, count: 9, dimension: 12)
        var index = [UInt32](repeating: 0, count: 3000)
        var score = [Float](repeating: 0, count: 3000)
        var residuals = [Float](repeating: 0, count: 3000 * 12)
        data.withRows {
            PartitionAssignment.assign($0, to: panels, index: &index, score: &score, control: BuildControl(threads: 3))
            PartitionAssignment.residuals(of: $0, index: index, centroids: model.centroids, into: &residuals)
        }
        for r in 0..<3000 {
            let c = Int(index[r])
            for j in 0..<12 { #expect(residuals[r * 12 + j] == data.floats[r * 12 + j] - model.centroids[c * 12 + j]) }
        }
    }
}
