import LancerBytes
import LancerKernels

/// What was learned for an index, without its rows: a delta segment copies it from the segment before.
package struct VectorIndexModel: Sendable {
    package let kind: VectorIndexKind
    package let metric: VectorMetric
    package let element: VectorElementType
    package let dimension: Int
    /// How graphs are built: neighbours, candidates, levels.
    package let graph: GraphParameters
    /// The centroids as the files keep them: the column's element type, row by row.
    package let storedCentroids: ArrowBuffer
    /// The same as floats.
    package let centroids: ScratchMemory<Float>
    /// Number of partitions.
    package let partitionCount: Int
    /// The codebook as the files keep it, and in use; product quantisation only.
    package let storedCodebook: ArrowBuffer?
    package let product: ProductQuantizer?
    /// Bounds; scalar quantisation only.
    package let scalar: ScalarQuantizer?
    /// The sum of squared distances of the trained rows from their centroids, if it is known.
    package let loss: Double?
    /// The centroids as the assignment wants them.
    let panels: CentroidPanels

    /// How the graphs of an index are built.
    package struct GraphParameters: Sendable, Equatable {
        package var maxConnections = 20
        package var efConstruction = 150
        package var maxLevel = 7

        /// The format's usual settings.
        package init() {}
    }

    /// Whether rows of one can be stored with the other: the same centroids, codebook or bounds, to the bit.
    package func isCompatible(with other: VectorIndexModel) -> Bool {
        kind == other.kind && metric == other.metric && element == other.element && dimension == other.dimension
            && Self.isEqual(storedCentroids, other.storedCentroids)
            && Self.isEqual(storedCodebook ?? .empty, other.storedCodebook ?? .empty)
            && scalar == other.scalar && product?.bits == other.product?.bits
            && product?.subvectors == other.product?.subvectors
    }

    private static func isEqual(_ left: ArrowBuffer, _ right: ArrowBuffer) -> Bool {
        left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in left.count == right.count && left.elementsEqual(right) }
        }
    }

    /// A model of stored numbers.
    ///
    /// - Throws: `corrupt` unless the numbers fit each other and are finite.
    init(
        kind: VectorIndexKind,
        metric: VectorMetric,
        element: VectorElementType,
        dimension: Int,
        graph: GraphParameters = GraphParameters(),
        storedCentroids: ArrowBuffer,
        storedCodebook: ArrowBuffer? = nil,
        subvectors: Int = 0,
        bits: Int = 8,
        scalar: ScalarQuantizer? = nil,
        loss: Double? = nil
    ) throws(LanceError) {
        let rowBytes = dimension * element.byteCount
        guard dimension > 0, storedCentroids.count > 0, storedCentroids.count % rowBytes == 0 else {
            throw .corrupt(
                "\(storedCentroids.count) bytes are no centroids of \(dimension) \(element.rawValue) numbers"
            )
        }
        partitionCount = storedCentroids.count / rowBytes
        centroids = ScratchMemory(count: partitionCount * dimension, repeating: 0)
        element.widen(storedCentroids, into: centroids.pointer)
        guard centroids.buffer.allSatisfy(\.isFinite) else { throw .corrupt("a centroid is not finite") }
        if let storedCodebook {
            let (count, overflow) = dimension.multipliedReportingOverflow(by: 1 << bits)
            guard !overflow, storedCodebook.count == count * element.byteCount else {
                throw .corrupt(
                    "a codebook of \(storedCodebook.count) bytes for \(dimension) dimensions and \(bits) bits"
                )
            }
            let values = ScratchMemory<Float>(count: count, repeating: 0)
            element.widen(storedCodebook, into: values.pointer)
            guard values.buffer.allSatisfy(\.isFinite) else { throw .corrupt("a codeword is not finite") }
            do {
                product = try ProductQuantizer(
                    codebook: Array(values.buffer),
                    dimension: dimension,
                    subvectors: subvectors,
                    bits: bits
                )
            } catch {
                throw .corrupt(error.message)
            }
        } else {
            product = nil
        }
        guard (product != nil) == (kind.compression == .product), (scalar != nil) == (kind.compression == .scalar)
        else {
            throw .corrupt("an index of kind \(kind.rawValue) has another kind's codes")
        }
        self.kind = kind
        self.metric = metric
        self.element = element
        self.dimension = dimension
        self.graph = graph
        self.storedCentroids = storedCentroids
        self.storedCodebook = storedCodebook
        self.scalar = scalar
        self.loss = loss
        panels = CentroidPanels(centroids.pointer, count: partitionCount, dimension: dimension)
    }

    /// Bytes of one row in the auxiliary file, its id included.
    package var rowByteCount: Int { 8 + codeByteCount }

    /// Bytes of one row's vector or codes.
    var codeByteCount: Int {
        switch kind.compression {
        case .flat: dimension * element.byteCount
        case .product: product?.codeByteCount ?? 0
        case .scalar: dimension
        }
    }
}
