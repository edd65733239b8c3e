import LancerBytes
import LancerKernels

/// k-means: centroids with a small sum of squared distances from the rows nearest to them.
///
/// Method: D²-weighted start (Arthur, Vassilvitskii 2007) drawn in growing batches, so that the distances can be worked out
/// by the tiled kernel; then Lloyd's iterations, with the biggest cluster split for each that lost its rows. The result depends on
/// rows, options and level of instructions only: threads share out work whose parts do not touch each other.
package struct KMeans: Sendable {
    /// How to train.
    package struct Options: Sendable {
        /// Number of centroids.
        package var clusterCount: Int
        /// Most Lloyd iterations.
        package var maxIterations = 20
        /// Rows used at most, per centroid; a random sample of the rows given.
        package var sampledRowsPerCluster = 256
        /// Stops when an iteration lowers the inertia by a smaller share than this.
        package var tolerance = 1e-4
        /// Decides every random choice.
        package var seed: UInt64 = 42
        /// Whether only the direction of rows counts: rows and centroids are brought to length one.
        package var isSpherical = false
        /// What is reported as being done.
        package var stage = BuildStage.partitions

        /// The usual settings for a number of centroids.
        package init(clusterCount: Int) { self.clusterCount = clusterCount }
    }

    /// The centroids, row by row.
    package let centroids: [Float]
    /// The sum of squared distances of the sampled rows from their centroids, as of the last assignment.
    package let inertia: Double
    /// Rows that were trained on.
    package let sampledRowCount: Int
    /// Lloyd iterations made.
    package let iterations: Int

    /// Trains on float32 rows; rows with NaN or infinity are passed over.
    ///
    /// Memory: the sample (unless it is all the rows), 20 bytes per sampled row, and three times the centroids.
    ///
    /// - Throws: `LanceError` (`invalidArgument`) if there are fewer finite rows than centroids or no centroids are asked for;
    ///   `CancellationError` if the report says so.
    package static func train(
        _ rows: VectorRows,
        _ options: Options,
        control: BuildControl = BuildControl()
    ) throws -> KMeans {
        let trainer = try KMeansTrainer(rows, options, control)
        return try trainer.run()
    }

    fileprivate init(_ centroids: [Float], inertia: Double, sampledRowCount: Int, iterations: Int) {
        self.centroids = centroids
        self.inertia = inertia
        self.sampledRowCount = sampledRowCount
        self.iterations = iterations
    }
}

/// The state of one training.
private final class KMeansTrainer {
    /// Rows that one thread assigns at a time.
    private static let block = 1024

    private let options: KMeans.Options
    private let control: BuildControl
    private let rows: VectorRows
    private let sample: ScratchMemory<Float>?
    private let dimension: Int
    private let k: Int
    private let squares: ScratchMemory<Float>
    private let score: ScratchMemory<Float>
    private let index: ScratchMemory<UInt32>
    private let order: ScratchMemory<UInt32>
    private let centroids: ScratchMemory<Float>
    private var random: SeededRandom

    init(_ given: VectorRows, _ options: KMeans.Options, _ control: BuildControl) throws {
        guard given.element == .float32, given.dimension > 0 else {
            throw LanceError.invalidArgument("k-means needs float rows of at least one dimension")
        }
        guard options.clusterCount > 0, options.sampledRowsPerCluster > 0, options.maxIterations > 0 else {
            throw LanceError.invalidArgument("k-means needs at least one centroid, one row for each, and one iteration")
        }
        self.options = options
        self.control = control
        k = options.clusterCount
        dimension = given.dimension
        random = SeededRandom(seed: options.seed)
        let (product, overflow) = k.multipliedReportingOverflow(by: options.sampledRowsPerCluster)
        let wanted = overflow ? given.count : min(product, given.count)
        if wanted < given.count || options.isSpherical {
            let copy = ScratchMemory<Float>(count: wanted * given.dimension, repeating: 0)
            for (to, from) in random.sample(wanted, of: given.count).enumerated() {
                given.widen(from, into: copy.pointer + to * given.dimension)
            }
            rows = VectorRows(copy.pointer, count: wanted, dimension: given.dimension)
            sample = copy
            if options.isSpherical { Self.scale(copy.pointer, count: wanted, dimension: given.dimension) }
        } else {
            rows = given
            sample = nil
        }
        guard rows.count >= k else {
            throw LanceError.invalidArgument("k-means cannot find \(k) centroids in \(rows.count) rows; ask for fewer")
        }
        squares = ScratchMemory(count: rows.count, repeating: 0)
        score = ScratchMemory(count: rows.count, repeating: 0)
        index = ScratchMemory(count: rows.count, repeating: 0)
        order = ScratchMemory(count: rows.count, repeating: 0)
        centroids = ScratchMemory(count: k * dimension, repeating: 0)
        measure()
    }

    func run() throws -> KMeans {
        try start()
        if options.isSpherical { Self.scale(centroids.pointer, count: k, dimension: dimension) }
        var last = Double.infinity
        var iteration = 0
        while iteration < options.maxIterations {
            try control.check(options.stage, Double(iteration) / Double(options.maxIterations))
            assign(rows, to: CentroidPanels(centroids.pointer, count: k, dimension: dimension))
            let inertia = self.inertia()
            update()
            if options.isSpherical { Self.scale(centroids.pointer, count: k, dimension: dimension) }
            iteration += 1
            let gain = last - inertia
            last = inertia
            if gain <= options.tolerance * inertia { break }
        }
        try control.check(options.stage, 1)
        return KMeans(Array(centroids.buffer), inertia: last, sampledRowCount: rows.count, iterations: iteration)
    }

    /// Brings rows to length one; those of length zero stay as they are.
    private static func scale(_ rows: UnsafeMutablePointer<Float>, count: Int, dimension: Int) {
        for row in 0..<count {
            let numbers = rows + row * dimension
            var sum = 0.0
            for j in 0..<dimension { sum += Double(numbers[j]) * Double(numbers[j]) }
            guard sum > 0, sum.isFinite else { continue }
            let factor = 1 / sum.squareRoot()
            for j in 0..<dimension { numbers[j] = Float(Double(numbers[j]) * factor) }
        }
    }

    /// Squared lengths; infinite for rows that take no part.
    private func measure() {
        let rows = self.rows
        let dimension = self.dimension
        let squares = self.squares.pointer
        control.parallel((rows.count + Self.block - 1) / Self.block) { block in
            let end = min(rows.count, (block + 1) * Self.block)
            for r in block * Self.block..<end {
                let row = rows.row(r)
                var sum: Float = 0
                for j in 0..<dimension {
                    let value = row.loadUnaligned(fromByteOffset: 4 * j, as: Float.self)
                    sum += value * value
                }
                squares[r] = sum.isFinite ? sum : .infinity
            }
        }
    }

    private func assign(_ rows: VectorRows, to panels: CentroidPanels) {
        let index = self.index.pointer
        let score = self.score.pointer
        control.parallel((rows.count + Self.block - 1) / Self.block) { block in
            let begin = block * Self.block
            let part = rows.slice(begin..<min(rows.count, begin + Self.block))
            panels.assign(part, index: index + begin, score: score + begin)
        }
    }

    /// The squared distance of a row from the centroid it was last assigned to.
    private func distance(_ row: Int) -> Float {
        squares.pointer[row].isFinite ? max(0, squares.pointer[row] + 2 * score.pointer[row]) : 0
    }

    private func inertia() -> Double {
        var sum = 0.0
        for r in 0..<rows.count { sum += Double(distance(r)) }
        return sum
    }

    // MARK: Start

    /// Draws centroids with probability proportional to the squared distance from those drawn before; from the second
    /// sixteen on, several at a time. A part of the rows is enough for that.
    private func start() throws {
        var step = max(1, rows.count / (32 * k))
        var finite = finiteRows(step)
        if finite.count < k {
            step = 1
            finite = finiteRows(1)
        }
        guard finite.count >= k else {
            throw LanceError.invalidArgument(
                "k-means cannot find \(k) centroids in \(finite.count) finite rows; ask for fewer"
            )
        }
        let part = rows.every(step)
        let weights = ScratchMemory<Float>(count: part.count, repeating: 0)
        for r in finite { weights.pointer[r] = .infinity }
        var fresh = [finite[random.below(finite.count)]]
        var count = 0
        while true {
            for (i, row) in fresh.enumerated() { part.widen(row, into: centroids.pointer + (count + i) * dimension) }
            count += fresh.count
            if count >= k { return }
            try control.check(options.stage, 0)
            let first = centroids.pointer + (count - fresh.count) * dimension
            assign(part, to: CentroidPanels(first, count: fresh.count, dimension: dimension))
            var total = 0.0
            for r in finite {
                let distance = max(0, squares.pointer[r * step] + 2 * score.pointer[r])
                weights.pointer[r] = min(weights.pointer[r], distance)
                total += Double(weights.pointer[r])
            }
            fresh = draw(min(k - count, max(1, count / 16)), weights.pointer, total, finite)
        }
    }

    /// Numbers of the rows, among every `step`-th, that take part.
    private func finiteRows(_ step: Int) -> [Int] {
        (0..<rows.every(step).count).filter { squares.pointer[$0 * step].isFinite }
    }

    private func draw(_ wanted: Int, _ weights: UnsafePointer<Float>, _ total: Double, _ finite: [Int]) -> [Int] {
        guard total > 0 else {
            // Fewer different rows than centroids: the rest have no rows of their own whichever they are.
            return (0..<wanted).map { _ in finite[random.below(finite.count)] }
        }
        let marks = (0..<wanted).map { _ in random.unit() * total }.sorted()
        var drawn: [Int] = []
        var sum = 0.0
        var next = 0
        for r in finite where weights[r] > 0 {
            sum += Double(weights[r])
            guard next < wanted, marks[next] < sum else { continue }
            drawn.append(r)
            while next < wanted, marks[next] < sum { next += 1 }
        }
        return drawn.isEmpty ? [finite[random.below(finite.count)]] : drawn
    }

    // MARK: Update

    private func takesPart(_ row: Int) -> Bool {
        index.pointer[row] != CentroidPanels.none && squares.pointer[row].isFinite
    }

    /// Moves each centroid to the mean of its rows. Sums run in the order of rows, whatever the number of threads.
    private func update() {
        var ends = [Int](repeating: 0, count: k + 1)
        let rowCount = rows.count
        for r in 0..<rowCount where takesPart(r) { ends[Int(index.pointer[r]) + 1] += 1 }
        for c in 0..<k { ends[c + 1] += ends[c] }
        var next = ends
        for r in 0..<rowCount where takesPart(r) {
            let c = Int(index.pointer[r])
            order.pointer[next[c]] = UInt32(r)
            next[c] += 1
        }
        let bounds = ends
        let rows = self.rows
        let order = self.order.pointer
        let centroids = self.centroids.pointer
        let dimension = self.dimension
        control.parallel(k) { c in
            Self.mean(rows, order, bounds[c]..<bounds[c + 1], dimension, into: centroids + c * dimension)
        }
        split(bounds)
    }

    private static func mean(
        _ rows: VectorRows,
        _ order: UnsafePointer<UInt32>,
        _ members: Range<Int>,
        _ dimension: Int,
        into centroid: UnsafeMutablePointer<Float>
    ) {
        if members.isEmpty { return }
        // Floats for short runs, doubles for the whole: as fast as floats, and big clusters keep their precision.
        let run = ScratchMemory<Float>(count: dimension, repeating: 0)
        let sum = ScratchMemory<Double>(count: dimension, repeating: 0)
        var at = members.lowerBound
        while at < members.upperBound {
            let end = min(at + 64, members.upperBound)
            for j in 0..<dimension { run.pointer[j] = 0 }
            for i in at..<end { RowSum.add(rows.row(Int(order[i])), to: run.pointer, count: dimension) }
            for j in 0..<dimension { sum.pointer[j] += Double(run.pointer[j]) }
            at = end
        }
        let scale = 1 / Double(members.count)
        for j in 0..<dimension { centroid[j] = Float(sum.pointer[j] * scale) }
    }

    /// Gives each centroid without rows a row of the biggest cluster that has different ones.
    private func split(_ bounds: [Int]) {
        let empty = (0..<k).filter { bounds[$0] == bounds[$0 + 1] }
        if empty.isEmpty { return }
        var sizes = (0..<k).map { c in
            let spread = (bounds[c]..<bounds[c + 1]).contains { distance(Int(order.pointer[$0])) > 0 }
            return spread ? bounds[c + 1] - bounds[c] : 0
        }
        for c in empty {
            guard let big = sizes.indices.max(by: { sizes[$0] < sizes[$1] }), sizes[big] > 1 else { return }
            let members = bounds[big]..<bounds[big + 1]
            rows.widen(
                Int(order.pointer[members.lowerBound + random.below(members.count)]),
                into: centroids.pointer + c * dimension
            )
            sizes[big] = (sizes[big] + 1) / 2
        }
    }
}
