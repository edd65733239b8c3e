import LancerBytes
import LancerFile
import LancerKernels

/// One segment of a vector index: the files `index.idx` and `auxiliary.idx`, opened.
///
/// Distances it returns: flat |q − x|², 1 − cos, 1 − q·x; product and scalar quantisation with l2 approximations of |q − x|², with
/// cosine of |q − x|² between unit vectors (twice 1 − cos), with dot of 1 − q·x.
package final class VectorIndexSegment: Sendable {
    package let model: VectorIndexModel
    /// Rows of each partition.
    package let partitionSizes: [Int]
    /// Rows in all partitions.
    package let rowCount: Int
    /// Size of the two files.
    package let byteCount: UInt64

    /// Opens a segment.
    ///
    /// - Parameters:
    ///   - element: type of the column's numbers, if it is to be checked; likewise `dimension`.
    ///   - cache: shared by all segments that shall keep to one limit.
    /// - Throws: `corrupt`, `truncated`; `unsupported` naming a kind or metric that Lancer does not know; `schemaMismatch` if
    ///   the column is another than the index is for.
    package static func open(
        index: any RangeSource,
        auxiliary: any RangeSource,
        element: VectorElementType? = nil,
        dimension: Int? = nil,
        cache: PartitionCache
    ) async throws -> VectorIndexSegment {
        throw LanceError.unsupported("reading of vector indexes")
    }

    init(model: VectorIndexModel, partitionSizes: [Int], byteCount: UInt64) {
        self.model = model
        self.partitionSizes = partitionSizes
        rowCount = partitionSizes.reduce(0, +)
        self.byteCount = byteCount
    }

    /// The nearest rows of each query, nearest first, equal distances by row id.
    ///
    /// - Parameter queries: one after another, as many numbers each as the index has dimensions.
    /// - Throws: `invalidArgument` for options that make no sense or numbers that are not whole queries; `corrupt` and
    ///   `truncated` for a bad partition; what the source throws.
    package func search(_ queries: [Float], _ options: SegmentSearchOptions) async throws -> [[Neighbour]] {
        throw LanceError.unsupported("search in vector indexes")
    }

    /// Reads all partitions into the cache, as far as its limit allows.
    package func prewarm() async throws {
        throw LanceError.unsupported("search in vector indexes")
    }

    /// The ids of a partition's rows, in the order of the file.
    package func rowIDs(ofPartition partition: Int) async throws -> [UInt64] {
        throw LanceError.unsupported("reading of vector indexes")
    }
}

/// Partitions in memory, decoded, up to a limit of bytes; those not used for longest go first.
package final class PartitionCache: Sendable {
    /// Bytes that may be kept.
    package let byteLimit: Int

    /// An empty cache.
    package init(byteLimit: Int) { self.byteLimit = byteLimit }
}
