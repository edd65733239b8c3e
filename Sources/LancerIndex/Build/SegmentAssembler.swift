import LancerBytes
import LancerKernels

/// Writes partitions of rows, and builds their graphs.
struct SegmentAssembler {
    let model: VectorIndexModel
    let memoryLimit: Int
    let seed: UInt64
    let control: BuildControl
    private var writer: SegmentWriter
    private(set) var partitionSizes: [Int] = []
    private let rowCount: Int
    private var done = 0

    /// - Parameter rowCount: rows of all partitions, for reports of progress.
    init(
        _ model: VectorIndexModel,
        index: any ByteSink,
        auxiliary: any ByteSink,
        rowCount: Int,
        memoryLimit: Int,
        seed: UInt64,
        control: BuildControl
    ) throws(LanceError) {
        self.model = model
        self.memoryLimit = memoryLimit
        self.seed = seed
        self.control = control
        self.rowCount = max(rowCount, 1)
        writer = try SegmentWriter(model, index: index, auxiliary: auxiliary)
    }

    /// Writes the next partition.
    ///
    /// - Parameters:
    ///   - codes: vectors or codes, row by row.
    mutating func write(rowIDs: [UInt64], codes: ArrowBuffer) throws {
        var rowIDs = rowIDs
        var codes = codes
        let width = model.codeByteCount
        if zip(rowIDs, rowIDs.dropFirst()).contains(where: { $0 > $1 }) {
            // By row id, so that the same rows give the same file in whatever order they came.
            let order = rowIDs.indices.sorted { (rowIDs[$0], $0) < (rowIDs[$1], $1) }
            codes = ArrowBuffer(count: codes.count) { to in
                codes.withUnsafeBytes { from in
                    for (i, row) in order.enumerated() {
                        UnsafeMutableRawBufferPointer(rebasing: to[i * width..<(i + 1) * width])
                            .copyMemory(from: UnsafeRawBufferPointer(rebasing: from[row * width..<(row + 1) * width]))
                    }
                }
            }
            rowIDs = order.map { rowIDs[$0] }
        }
        let count = rowIDs.count
        if model.kind.compression == .product {
            codes = codes.withUnsafeBytes { CodeOrder.transposed($0, count: count, width: width) }
        }
        let graph = model.kind.hasGraph && count > 0 ? try graph(count, codes) : nil
        try writer.write(rowIDs: ArrowBuffer(rowIDs), codes: codes, graph: graph)
        partitionSizes.append(count)
        done += count
        try control.check(.write, Double(done) / Double(rowCount))
    }

    private func graph(_ count: Int, _ codes: ArrowBuffer) throws -> HNSWGraph {
        let perRow = GraphMemory.bytesPerRow(model)
        guard count.multipliedSaturated(perRow) <= memoryLimit else {
            throw LanceError.limitExceeded(
                "the graph of a partition of \(count) rows takes \(count.multipliedSaturated(perRow) >> 20) MiB of "
                    + "memory, more than the \(memoryLimit >> 20) MiB allowed; use more partitions or more memory"
            )
        }
        var options = HNSWBuilder.Options()
        options.maxConnections = model.graph.maxConnections
        options.efConstruction = model.graph.efConstruction
        options.maxLevel = model.graph.maxLevel
        options.seed = seed
        let before = Double(done) / Double(rowCount)
        let share = Double(count) / Double(rowCount)
        let outer = control
        let control = BuildControl(threads: outer.threads) { stage, part in outer.report(stage, before + share * part) }
        let element: VectorElement =
            model.kind.compression == .scalar ? .uint8 : model.element == .float16 ? .float16 : .float32
        switch model.kind.compression {
        case .flat:
            var floats = codes
            if model.element == .float64 {
                floats = ArrowBuffer(count: codes.count / 2) { bytes in
                    guard let out = bytes.baseAddress else { return }
                    let values = bytes.count / 4
                    model.element.widen(codes, into: out.bindMemory(to: Float.self, capacity: values))
                }
            }
            LargePages.move(floats.start, byteCount: floats.count)
            let rows = VectorRows(floats.start, count: count, dimension: model.dimension, element: element)
            let metric: VectorMetric = model.metric == .cosine ? .dot : model.metric
            defer { withExtendedLifetime(floats) {} }
            return try HNSWBuilder.build(FlatSpace(rows, metric: metric), options, control: control)
        case .scalar:
            guard let scalar = model.scalar else { break }
            LargePages.move(codes.start, byteCount: codes.count)
            let rows = VectorRows(codes.start, count: count, dimension: model.dimension, element: element)
            defer { withExtendedLifetime(codes) {} }
            let space = ScalarSpace(rows, quantizer: scalar, metric: model.metric)
            return try HNSWBuilder.build(space, options, control: control)
        case .product:
            guard let product = model.product else { break }
            // What the codes stand for, as floats: their distances are those of the codes, and far sooner worked out.
            let vectors = ScratchMemory<Float>(count: count * model.dimension, repeating: 0)
            let group = 256
            codes.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
                outer.parallel((count + group - 1) / group) { part in
                    for r in part * group..<min(count, (part + 1) * group) {
                        product.decode(base + r, byteStep: count, into: vectors.pointer + r * model.dimension)
                    }
                }
            }
            LargePages.move(vectors.pointer, byteCount: 4 * vectors.count)
            let rows = VectorRows(vectors.pointer, count: count, dimension: model.dimension)
            let metric: VectorMetric = model.metric == .dot ? .dot : .l2
            return try HNSWBuilder.build(FlatSpace(rows, metric: metric), options, control: control)
        }
        throw LanceError.corrupt("an index of kind \(model.kind.rawValue) without its codes")
    }

    /// Writes the rest of the files.
    mutating func finish(skipped: Int) throws(LanceError) -> BuiltVectorIndex {
        let sizes = try writer.finish()
        return BuiltVectorIndex(
            model: model,
            rowCount: done,
            skippedRowCount: skipped,
            partitionSizes: partitionSizes,
            indexByteCount: sizes.index,
            auxiliaryByteCount: sizes.auxiliary
        )
    }
}
