import LancerBytes
import LancerKernels

/// Learns what an index needs to know before its rows are written.
struct VectorIndexTrainer {
    let source: any VectorSource
    let parameters: VectorIndexParameters
    let control: BuildControl

    func run() async throws -> VectorIndexModel {
        try parameters.check()
        let rowCount = source.rowCount
        let wanted = try sampleCount(partitionCount(rows: rowCount))
        let block = try await source.sample(wanted, seed: parameters.seed)
        guard block.count <= wanted || block.count <= rowCount else {
            throw LanceError.invalidArgument("a sample of \(block.count) rows, \(wanted) were wanted")
        }
        let sample = try PreparedRows(
            block,
            parameters.element,
            dimension: parameters.dimension,
            metric: parameters.metric,
            control: control
        )
        guard sample.count >= parameters.leastRows else {
            throw LanceError.invalidArgument(
                "an index of kind \(parameters.kind.rawValue) needs at least \(parameters.leastRows) vectors to train on, "
                    + "there are \(sample.count) that are not null and finite"
                    + (parameters.metric == .cosine ? " and not zero" : "")
            )
        }
        // Of a sample of all rows it is known how many can be in the index.
        let partitions =
            wanted >= rowCount ? partitionCount(rows: sample.count) : min(partitionCount(rows: rowCount), sample.count)
        return try model(sample, partitions)
    }

    /// The number of partitions for so many rows. Without a wish, graphs get as many as the memory demands.
    private func partitionCount(rows: Int) -> Int {
        let usual = parameters.partitionCount(rows: rows)
        guard parameters.kind.hasGraph, parameters.partitions == nil else { return usual }
        let bytes = rows.multipliedSaturated(GraphMemory.bytesPerRow(parameters))
        let needed = bytes / max(1, parameters.memoryLimit / 4)
        return min(max(usual, needed), max(1, rows), VectorIndexParameters.mostPartitions)
    }

    /// Rows sampled for each of so many partitions. A few partitions get more than they would by themselves: it costs
    /// next to nothing, and where their borders lie depends less on chance.
    private func sampleRate(_ partitions: Int) -> Int {
        if partitions < 2 { return parameters.sampleRate }
        let least = min(parameters.sampleRate, 256) * Self.leastSampledPartitions
        return max(parameters.sampleRate, least / partitions)
    }

    /// Fewer partitions than this are trained with as many rows.
    private static let leastSampledPartitions = 64

    /// Rows of the sample: as many as the training asks for, as far as the memory goes.
    private func sampleCount(_ partitions: Int) throws(LanceError) -> Int {
        var wanted = partitions.multipliedSaturated(sampleRate(partitions))
        if parameters.kind.compression == .product {
            wanted = max(wanted, parameters.codebookSampleRate.multipliedSaturated(1 << parameters.bits))
        }
        wanted = min(max(wanted, 256), max(source.rowCount, 1))
        // The rows as they come, as floats, and what k-means keeps for each.
        let bytes = parameters.dimension * (parameters.element.byteCount + 8) + 64
        let most = parameters.memoryLimit / 2 / bytes
        guard most >= partitions, most >= parameters.leastRows else {
            throw .limitExceeded(
                "\(partitions) partitions need more than \(parameters.memoryLimit) bytes of memory to train"
            )
        }
        return min(wanted, most)
    }

    private func model(_ sample: PreparedRows, _ partitions: Int) throws -> VectorIndexModel {
        var options = KMeans.Options(clusterCount: partitions)
        options.maxIterations = parameters.iterations
        options.sampledRowsPerCluster = sampleRate(partitions)
        options.seed = parameters.seed
        // The greatest products with a query are those of rows in its direction, whatever their length. Among centroids of
        // one length the nearest is the one with the greatest product, for rows as for queries.
        options.isSpherical = parameters.metric == .dot
        let kmeans = try KMeans.train(sample.rows, options, control: control)
        let stored = kmeans.centroids.withUnsafeBufferPointer { parameters.element.stored($0) }
        var graph = VectorIndexModel.GraphParameters()
        graph.maxConnections = parameters.maxConnections
        graph.efConstruction = parameters.efConstruction
        graph.maxLevel = parameters.maxLevel
        var codebook: ArrowBuffer?
        var scalar: ScalarQuantizer?
        switch parameters.kind.compression {
        case .flat: break
        case .scalar: scalar = try ScalarQuantizer(training: sample.rows)
        case .product: codebook = try trainedCodebook(sample, stored)
        }
        return try VectorIndexModel(
            kind: parameters.kind,
            metric: parameters.metric,
            element: parameters.element,
            dimension: parameters.dimension,
            graph: graph,
            storedCentroids: stored,
            storedCodebook: codebook,
            subvectors: parameters.resolvedSubVectors,
            bits: parameters.bits,
            scalar: scalar,
            loss: kmeans.inertia
        )
    }

    /// A codebook for the residuals of a part of the sample (dot: for the vectors themselves).
    private func trainedCodebook(_ sample: PreparedRows, _ centroids: ArrowBuffer) throws -> ArrowBuffer {
        let wanted = parameters.codebookSampleRate.multipliedSaturated(1 << parameters.bits)
        var random = SeededRandom(seed: parameters.seed ^ 0x5043)
        let dimension = parameters.dimension
        let chosen = random.sample(wanted, of: sample.count)
        let rows = ScratchMemory<Float>(count: chosen.count * dimension, repeating: 0)
        for (to, from) in chosen.enumerated() { sample.rows.widen(from, into: rows.pointer + to * dimension) }
        let view = VectorRows(rows.pointer, count: chosen.count, dimension: dimension)
        if parameters.metric != .dot {
            let count = centroids.count / (dimension * parameters.element.byteCount)
            let floats = ScratchMemory<Float>(count: count * dimension, repeating: 0)
            parameters.element.widen(centroids, into: floats.pointer)
            let index = ScratchMemory<UInt32>(count: chosen.count, repeating: 0)
            let score = ScratchMemory<Float>(count: chosen.count, repeating: 0)
            PartitionAssignment.assign(
                view,
                to: CentroidPanels(floats.pointer, count: count, dimension: dimension),
                index: index.pointer,
                score: score.pointer,
                control: control
            )
            // In place: each row is read before it is written.
            PartitionAssignment.residuals(
                of: view,
                index: index.pointer,
                centroids: floats.pointer,
                into: rows.pointer,
                control: control
            )
        }
        var options = ProductQuantizer.Options(subvectors: parameters.resolvedSubVectors)
        options.bits = parameters.bits
        options.maxIterations = parameters.codebookIterations
        options.sampledRowsPerCodeword = parameters.codebookSampleRate
        // Distances of dot are products themselves, which it would scale.
        options.stretches = parameters.metric != .dot
        options.seed = parameters.seed
        let product = try ProductQuantizer.train(view, options, control: control)
        return product.codebook.withUnsafeBufferPointer { parameters.element.stored($0) }
    }
}

/// Memory that the building of graphs takes.
enum GraphMemory {
    /// Bytes for each row of a partition whose graph is built.
    static func bytesPerRow(_ parameters: VectorIndexParameters) -> Int {
        let codes: Int
        switch parameters.kind.compression {
        case .flat: codes = parameters.dimension * parameters.element.byteCount
        case .product: codes = parameters.resolvedSubVectors
        case .scalar: codes = parameters.dimension
        }
        return bytesPerRow(parameters.kind, codes, parameters.dimension, parameters.maxConnections)
    }

    /// The same for an index that was trained.
    static func bytesPerRow(_ model: VectorIndexModel) -> Int {
        bytesPerRow(model.kind, model.codeByteCount, model.dimension, model.graph.maxConnections)
    }

    /// The row itself, read and as a column, decoded if it is product codes, and its lists while they grow and when done.
    private static func bytesPerRow(_ kind: VectorIndexKind, _ codes: Int, _ dimension: Int, _ connections: Int) -> Int
    {
        let decoded = kind.compression == .product ? 4 * dimension : 0
        return 2 * codes + decoded + 16 + 2 * 8 * (2 * connections + 2) + 32
    }
}

extension Int {
    /// The product, or the greatest number if it is too big.
    func multipliedSaturated(_ other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
