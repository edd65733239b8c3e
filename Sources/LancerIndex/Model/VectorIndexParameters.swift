import LancerBytes
import LancerKernels

/// What index to build, and with what means.
package struct VectorIndexParameters: Sendable {
    package var kind: VectorIndexKind
    package var metric: VectorMetric
    /// Type of the column's numbers.
    package var element: VectorElementType
    /// Numbers in a vector.
    package var dimension: Int
    /// Number of partitions; nil: by the number of rows and ``targetPartitionSize``.
    package var partitions: Int?
    /// Rows that a partition shall have; nil: by the kind.
    package var targetPartitionSize: Int?
    /// Sub-vectors of product quantisation; nil: ``defaultSubVectors(dimension:bits:)``.
    package var subVectors: Int?
    /// Bits of the codes of product quantisation: 4 or 8.
    package var bits = 8
    /// Neighbours of a vector in a graph, on its upper levels.
    package var maxConnections = 20
    /// Candidates kept while a graph is built.
    package var efConstruction = 150
    /// Levels of a graph at most.
    package var maxLevel = 7
    /// Rows sampled for each partition to find the centroids.
    package var sampleRate = 256
    /// Iterations of k-means for the partitions at most.
    package var iterations = 25
    /// Rows sampled for each codeword.
    package var codebookSampleRate = 256
    /// Iterations of k-means for the codewords at most.
    package var codebookIterations = 10
    /// Decides every random choice: the same rows, parameters and seed give the same bytes.
    package var seed: UInt64 = 42
    /// Bytes that the build may use; what does not fit goes to scratch files.
    package var memoryLimit = 2 << 30
    /// Threads to use; results do not depend on it.
    package var threads = 1

    /// The usual settings for a kind of index of a column.
    package init(kind: VectorIndexKind, metric: VectorMetric, element: VectorElementType, dimension: Int) {
        self.kind = kind
        self.metric = metric
        self.element = element
        self.dimension = dimension
    }

    /// Partitions at most where their number is not given.
    private static let mostDefaultPartitions = 4096
    /// Partitions at most.
    package static let mostPartitions = 1 << 20
    /// Least memory that a build works in.
    package static let leastMemory = 16 << 20

    /// Sub-vectors where their number is not given: eight dimensions each, or the most numbers up to that which divide the
    /// dimension.
    package static func defaultSubVectors(dimension: Int, bits: Int) -> Int {
        for width in stride(from: 8, through: 1, by: -1) where dimension % width == 0 {
            let count = dimension / width
            if bits == 8 || count % 2 == 0 { return count }
        }
        return dimension
    }

    /// Sub-vectors that will be used.
    package var resolvedSubVectors: Int {
        subVectors ?? Self.defaultSubVectors(dimension: dimension, bits: bits)
    }

    /// Partitions for a number of rows that can be trained on.
    ///
    /// As the reference: rows / target size, at most 4096; never more than there are rows, and with product quantisation
    /// never more than one for 256 rows.
    package func partitionCount(rows: Int) -> Int {
        let size = max(1, targetPartitionSize ?? kind.defaultPartitionSize)
        let wanted = partitions ?? min(rows / size, Self.mostDefaultPartitions)
        let most = kind.compression == .product ? rows / 256 : rows
        return max(1, min(wanted, most))
    }

    /// Rows that are needed to train.
    package var leastRows: Int { kind.compression == .product ? 1 << bits : 1 }

    /// Checks that the parameters make sense together.
    ///
    /// - Throws: `invalidArgument`.
    package func check() throws(LanceError) {
        func need(_ condition: Bool, _ message: @autoclosure () -> String) throws(LanceError) {
            if !condition { throw .invalidArgument(message()) }
        }
        try need(dimension > 0 && dimension <= 1 << 16, "vectors have 1 to 65536 dimensions, not \(dimension)")
        if let partitions {
            try need(
                partitions > 0 && partitions <= Self.mostPartitions,
                "an index has 1 to \(Self.mostPartitions) partitions, not \(partitions)"
            )
        }
        if let size = targetPartitionSize { try need(size > 0, "a partition's target size is at least 1, not \(size)") }
        try need(
            sampleRate > 0 && codebookSampleRate > 0,
            "sample rates are at least 1, not \(sampleRate) and \(codebookSampleRate)"
        )
        try need(
            iterations > 0 && codebookIterations > 0,
            "iterations are at least 1, not \(iterations) and \(codebookIterations)"
        )
        try need(threads > 0, "a build needs at least 1 thread, not \(threads)")
        try need(
            memoryLimit >= Self.leastMemory,
            "a build needs at least \(Self.leastMemory >> 20) MiB of memory, not \(memoryLimit) bytes"
        )
        if kind.compression == .product {
            try ProductQuantizer.check(dimension: dimension, subvectors: resolvedSubVectors, bits: bits)
        }
        if kind.hasGraph {
            try need(
                maxConnections >= 4 && maxConnections <= 512,
                "a graph has 4 to 512 connections, not \(maxConnections)"
            )
            try need(
                efConstruction >= maxConnections && efConstruction <= 1 << 20,
                "candidates of a graph's build (\(efConstruction)) must be no fewer than connections (\(maxConnections))"
            )
            try need(maxLevel >= 1 && maxLevel <= 64, "a graph has 1 to 64 levels, not \(maxLevel)")
        }
    }
}
