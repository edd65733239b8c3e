import LancerArrow
import LancerBytes
import LancerKernels

/// Exact search: distances of queries from all vectors it is shown, the nearest of them kept.
///
/// Distances: l2 |q − x|², cosine 1 − cos, dot 1 − q·x. Rows whose distance is NaN (NaN in them, or zero with cosine) are not
/// returned; infinite distances are. Queries are rounded to the column's numbers first where those are halves; vectors of
/// doubles are compared as floats. Used by one task at a time.
package final class FlatSearch {
    /// Rows whose distances are worked out at once.
    private static let block = 512
    /// The same where they are compared with several queries.
    private static let tile = 64

    private let element: VectorElementType
    private let dimension: Int
    private let metric: VectorMetric
    private let lower: Float
    private let ceiling: Float
    private let control: BuildControl
    private let queries: ScratchMemory<Float>
    private let norms: [Float]
    private var tops: [TopK]

    /// Prepares a search.
    ///
    /// - Parameters:
    ///   - queries: one after another, `dimension` numbers each.
    ///   - lowerBound: least distance, included; `upperBound` is excluded.
    /// - Throws: `invalidArgument` for a `k` of 0, or numbers that are not whole queries.
    package init(
        queries: [Float],
        dimension: Int,
        element: VectorElementType,
        metric: VectorMetric,
        k: Int,
        lowerBound: Float? = nil,
        upperBound: Float? = nil,
        threads: Int = 1
    ) throws(LanceError) {
        guard k > 0 else { throw .invalidArgument("a search wants at least 1 row, not \(k)") }
        guard dimension > 0, queries.count % dimension == 0 else {
            throw .invalidArgument(
                "\(queries.count) numbers are not whole queries for vectors of \(dimension) dimensions"
            )
        }
        self.element = element
        self.dimension = dimension
        self.metric = metric
        lower = lowerBound ?? -.infinity
        ceiling = upperBound?.nextDown ?? .infinity
        control = BuildControl(threads: threads)
        self.queries = ScratchMemory(count: queries.count, repeating: 0)
        for (i, value) in queries.enumerated() { self.queries.pointer[i] = value }
        element.round(self.queries.pointer, count: queries.count)
        let rounded = self.queries.pointer
        norms = (0..<queries.count / dimension).map { q in
            let row = rounded + q * dimension
            return Float((0..<dimension).reduce(0.0) { $0 + Double(row[$1]) * Double(row[$1]) }.squareRoot())
        }
        tops = norms.map { _ in TopK(limit: k) }
    }

    /// Looks at some vectors.
    ///
    /// - Throws: `invalidArgument` if the block's bytes do not fit its rows.
    package func add(_ block: VectorBlock, selection: RowSelection? = nil) throws(LanceError) {
        try block.check(element, dimension: dimension)
        if block.count == 0 || tops.isEmpty { return }
        let view = selection?.view
        // Threads share out the queries, and the rows too where there are more threads than queries.
        let groups = min(control.threads, tops.count)
        let parts = max(1, min(control.threads / groups, (block.count + Self.block - 1) / Self.block))
        let queriesOfGroup = (tops.count + groups - 1) / groups
        let rowsOfPart = (block.count + parts - 1) / parts
        let found = ScratchTops(count: tops.count * parts) { TopK(limit: tops[$0 / parts].limit) }
        for i in tops.indices { found.tops[i * parts] = tops[i] }
        block.values.withUnsafeBytes { values in
            guard let base = values.baseAddress else { return }
            control.parallel(groups * parts) { index in
                let (group, part) = (index / parts, index % parts)
                let first = min(group * queriesOfGroup, tops.count)
                let own = first..<min(first + queriesOfGroup, tops.count)
                let range = min(part * rowsOfPart, block.count)..<min((part + 1) * rowsOfPart, block.count)
                guard let tops = found.tops.baseAddress else { return }
                scan(own, base, range, block, view, tops + part, step: parts)
            }
        }
        for i in tops.indices {
            tops[i] = found.tops[i * parts]
            for part in 1..<max(parts, 1) { tops[i].merge(found.tops[i * parts + part]) }
        }
    }

    /// Compares some queries with some rows, a tile of rows with all queries before the next one: it stays in the cache.
    private func scan(
        _ queries: Range<Int>,
        _ base: UnsafeRawPointer,
        _ range: Range<Int>,
        _ block: VectorBlock,
        _ selection: SelectionView?,
        _ tops: UnsafeMutablePointer<TopK>,
        step: Int
    ) {
        let width = dimension * element.byteCount
        let tile = queries.count > 1 ? Self.tile : Self.block
        let distances = ScratchMemory<Float>(count: tile, repeating: 0)
        let floats = ScratchMemory<Float>(count: element == .float64 ? tile * dimension : 0, repeating: 0)
        let out = distances.pointer
        for start in stride(from: range.lowerBound, to: range.upperBound, by: tile) {
            let count = min(tile, range.upperBound - start)
            let rows = Self.rows(base + start * width, count, dimension, element, floats.pointer)
            for query in queries {
                let top = tops + query * step
                rows.distances(
                    metric,
                    from: self.queries.pointer + query * dimension,
                    norm: norms[query],
                    into: out
                )
                var threshold = min(top.pointee.threshold, ceiling)
                for i in 0..<count {
                    let distance = out[i]
                    guard distance <= threshold, distance >= lower else { continue }
                    if let validity = block.validity, !validity[start + i] { continue }
                    let id = block.rowIDs[start + i]
                    if let selection, !selection.allows(id) { continue }
                    top.pointee.insert(distance: distance, row: id)
                    threshold = min(top.pointee.threshold, ceiling)
                }
            }
        }
    }

    /// Vectors as the kernels take them; doubles are put into `floats`.
    private static func rows(
        _ base: UnsafeRawPointer,
        _ count: Int,
        _ dimension: Int,
        _ element: VectorElementType,
        _ floats: UnsafeMutablePointer<Float>
    ) -> VectorRows {
        switch element {
        case .float32: return VectorRows(base, count: count, dimension: dimension)
        case .float16: return VectorRows(base, count: count, dimension: dimension, element: .float16)
        case .float64:
            element.widen(base, count: count * dimension, into: floats)
            return VectorRows(floats, count: count, dimension: dimension)
        }
    }

    /// The nearest rows of each query so far, nearest first, equal distances by row id.
    package func results() -> [[Neighbour]] {
        tops.map { $0.sorted().map { Neighbour(rowID: $0.row, distance: $0.distance) } }
    }

    /// Exact distances of one query from vectors, one for each, null or not; NaN where there is none.
    ///
    /// - Throws: `invalidArgument` for numbers that are not whole vectors.
    package static func distances(
        _ query: [Float],
        _ metric: VectorMetric,
        values: ArrowBuffer,
        element: VectorElementType
    ) throws(LanceError) -> [Float] {
        let dimension = query.count
        guard dimension > 0, values.count % (dimension * element.byteCount) == 0 else {
            throw .invalidArgument("\(values.count) bytes are not whole vectors of \(dimension) dimensions")
        }
        let count = values.count / (dimension * element.byteCount)
        let rounded = ScratchMemory<Float>(count: dimension, repeating: 0)
        for j in 0..<dimension { rounded.pointer[j] = query[j] }
        element.round(rounded.pointer, count: dimension)
        let norm = Float(rounded.buffer.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
        let floats = ScratchMemory<Float>(count: element == .float64 ? count * dimension : 0, repeating: 0)
        let out = ScratchMemory<Float>(count: count, repeating: 0)
        values.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            rows(base, count, dimension, element, floats.pointer)
                .distances(metric, from: rounded.pointer, norm: norm, into: out.pointer)
        }
        return Array(out.buffer)
    }
}

/// Lists of nearest rows that threads fill, each its own.
private final class ScratchTops: @unchecked Sendable {
    let tops: UnsafeMutableBufferPointer<TopK>

    init(count: Int, _ make: (Int) -> TopK) {
        tops = .allocate(capacity: count)
        for i in 0..<count { tops.initializeElement(at: i, to: make(i)) }
    }

    deinit {
        tops.deinitialize()
        tops.deallocate()
    }
}
