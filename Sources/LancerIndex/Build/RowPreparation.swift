import LancerArrow
import LancerBytes
import LancerKernels

/// Rows of a block that can be in an index, as floats: not null, finite, and for cosine not zero and of length one.
struct PreparedRows {
    /// The rows' places in the block.
    let places: [Int]
    let floats: ScratchMemory<Float>
    let dimension: Int

    var count: Int { places.count }
    var rows: VectorRows { VectorRows(floats.pointer, count: count, dimension: dimension) }

    /// Prepares all rows of a block on some threads.
    ///
    /// - Throws: `invalidArgument` if the block's bytes do not fit its rows.
    init(
        _ block: VectorBlock,
        _ element: VectorElementType,
        dimension: Int,
        metric: VectorMetric,
        control: BuildControl
    ) throws(LanceError) {
        try block.check(element, dimension: dimension)
        self.dimension = dimension
        let count = block.count
        let floats = ScratchMemory<Float>(count: count * dimension, repeating: 0)
        let usable = ScratchMemory<Bool>(count: count, repeating: false)
        let group = 256
        block.values.withUnsafeBytes { values in
            guard let base = values.baseAddress else { return }
            control.parallel((count + group - 1) / group) { part in
                for r in part * group..<min(count, (part + 1) * group) {
                    if let validity = block.validity, !validity[r] { continue }
                    let row = floats.pointer + r * dimension
                    let from = base + r * dimension * element.byteCount
                    element.widen(from, count: dimension, into: row)
                    usable.pointer[r] = Self.scale(row, dimension, metric)
                }
            }
        }
        var places: [Int] = []
        places.reserveCapacity(count)
        for r in 0..<count where usable.pointer[r] {
            if places.count < r {
                let to = floats.pointer + places.count * dimension
                to.update(from: floats.pointer + r * dimension, count: dimension)
            }
            places.append(r)
        }
        self.places = places
        self.floats = floats
    }

    /// Whether a row can be in an index; for cosine it is brought to length one.
    private static func scale(_ row: UnsafeMutablePointer<Float>, _ dimension: Int, _ metric: VectorMetric) -> Bool {
        var sum = 0.0
        for j in 0..<dimension { sum += Double(row[j]) * Double(row[j]) }
        guard sum.isFinite else { return false }
        if metric != .cosine { return true }
        guard sum > 0 else { return false }
        let factor = 1 / sum.squareRoot()
        for j in 0..<dimension { row[j] = Float(Double(row[j]) * factor) }
        return true
    }
}

extension BuildControl {
    /// The control of a build in a task: reports go to `progress`, cancellation of the task stops it.
    init(threads: Int, progress: @escaping BuildProgress) {
        self.init(threads: threads) { stage, share in
            progress(stage, share)
            return !Task.isCancelled
        }
    }
}
