import LancerKernels

/// Vectors by number, and distances between them and a query, for graphs.
///
/// A query is prepared once into bytes of the space's choosing.
package protocol VectorSpace: Sendable {
    /// Number of vectors.
    var count: Int { get }
    /// Bytes of a prepared query, aligned to 64.
    var queryByteCount: Int { get }
    /// A stored vector as a query: either `scratch`, filled, or its own memory.
    func nodeQuery(_ node: UInt32, scratch: UnsafeMutableRawPointer) -> UnsafeRawPointer
    /// Distances of vectors `ids`, each below ``count``.
    func distances(
        from query: UnsafeRawPointer,
        to ids: UnsafePointer<UInt32>,
        count: Int,
        into out: UnsafeMutablePointer<Float>
    )
}

/// Vectors as they are: floats or halves, by l2 or dot. Cosine: unit vectors by l2 (or dot).
package struct FlatSpace: VectorSpace {
    private let rows: VectorRows
    private let isDot: Bool

    /// Vectors in memory that outlives the space.
    package init(_ rows: VectorRows, metric: VectorMetric) {
        precondition(rows.element != .uint8, "floats or halves")
        self.rows = rows
        isDot = metric == .dot
    }

    package var count: Int { rows.count }
    package var queryByteCount: Int { rows.dimension * 4 }

    /// Floats of a query; `query` has as many as the dimension.
    package func prepare(_ query: UnsafePointer<Float>, into memory: UnsafeMutableRawPointer) {
        memory.copyMemory(from: query, byteCount: queryByteCount)
    }

    package func nodeQuery(_ node: UInt32, scratch: UnsafeMutableRawPointer) -> UnsafeRawPointer {
        if rows.element == .float32 { return rows.row(Int(node)) }
        rows.widen(Int(node), into: scratch.assumingMemoryBound(to: Float.self))
        return UnsafeRawPointer(scratch)
    }

    package func distances(
        from query: UnsafeRawPointer,
        to ids: UnsafePointer<UInt32>,
        count: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        guard isDot else { return rows.gatherL2(from: query, ids: ids, count: count, into: out) }
        rows.gatherProducts(with: query.assumingMemoryBound(to: Float.self), ids: ids, count: count, into: out)
        for i in 0..<count { out[i] = 1 - out[i] }
    }
}

/// Vectors of scalar quantisation. l2 (and cosine, of unit vectors): both sides are codes; dot: the query stays floats.
package struct ScalarSpace: VectorSpace {
    private let rows: VectorRows
    private let quantizer: ScalarQuantizer
    private let isDot: Bool

    /// Codes in memory that outlives the space: `rows` are of `uint8`.
    package init(_ rows: VectorRows, quantizer: ScalarQuantizer, metric: VectorMetric) {
        precondition(rows.element == .uint8, "codes are bytes")
        self.rows = rows
        self.quantizer = quantizer
        isDot = metric == .dot
    }

    package var count: Int { rows.count }
    package var queryByteCount: Int { isDot ? (rows.dimension + 16) * 4 : rows.dimension }

    /// Codes of the query, or for dot its floats behind 1 − start · (their sum).
    package func prepare(_ query: UnsafePointer<Float>, into memory: UnsafeMutableRawPointer) {
        guard isDot else {
            let codes = memory.assumingMemoryBound(to: UInt8.self)
            return quantizer.encode(query, count: rows.dimension, into: codes)
        }
        let floats = memory.assumingMemoryBound(to: Float.self)
        var sum = 0.0
        for j in 0..<rows.dimension {
            floats[16 + j] = query[j]
            sum += Double(query[j])
        }
        floats[0] = Float(1 - quantizer.start * sum)
    }

    package func nodeQuery(_ node: UInt32, scratch: UnsafeMutableRawPointer) -> UnsafeRawPointer {
        guard isDot else { return rows.row(Int(node)) }
        let values = ScratchMemory<Float>(count: rows.dimension, repeating: 0)
        let codes = rows.row(Int(node)).assumingMemoryBound(to: UInt8.self)
        quantizer.decode(codes, count: rows.dimension, into: values.pointer)
        prepare(values.pointer, into: scratch)
        return UnsafeRawPointer(scratch)
    }

    package func distances(
        from query: UnsafeRawPointer,
        to ids: UnsafePointer<UInt32>,
        count: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        if isDot {
            let floats = query.assumingMemoryBound(to: Float.self)
            rows.gatherProducts(with: floats + 16, ids: ids, count: count, into: out)
            let step = Float(quantizer.step)
            let base = floats[0]
            for i in 0..<count { out[i] = base - step * out[i] }
        } else {
            rows.gatherL2(from: query, ids: ids, count: count, into: out)
            let scale = Float(quantizer.step * quantizer.step)
            for i in 0..<count { out[i] *= scale }
        }
    }
}

/// Vectors of product quantisation, their codes row by row and one byte each, whatever their bits.
package final class ProductSpace: VectorSpace {
    private let codes: ScratchMemory<UInt8>
    private let quantizer: ProductQuantizer
    private let isDot: Bool
    package let count: Int

    /// Copies the codes of a partition as the format stores them.
    ///
    /// - Parameter metric: l2 (and cosine): queries and vectors are residuals of the same partition; dot: they are themselves.
    package init(_ stored: ProductCodes, quantizer: ProductQuantizer, metric: VectorMetric) {
        let m = quantizer.subvectors
        count = stored.count
        codes = ScratchMemory(count: stored.count * m, repeating: 0)
        self.quantizer = quantizer
        isDot = metric == .dot
        for i in 0..<m {
            let column = stored.codes + (stored.bits == 8 ? i : i / 2) * stored.stride
            for r in 0..<stored.count {
                let byte = column[r]
                codes.pointer[r * m + i] = stored.bits == 8 ? byte : i % 2 == 0 ? byte & 15 : byte >> 4
            }
        }
    }

    package var queryByteCount: Int { quantizer.subvectors * 256 * 4 }

    /// The memory of the codes; it is there as long as the space.
    var memory: UnsafeRawBufferPointer { UnsafeRawBufferPointer(codes.buffer) }

    /// The distance table of the query (for l2 less the partition's centroid), rows of 256 whatever the bits.
    package func prepare(_ query: UnsafePointer<Float>, into memory: UnsafeMutableRawPointer) {
        let table = memory.assumingMemoryBound(to: Float.self)
        if isDot {
            quantizer.productTable(query, scale: -1, into: table)
        } else {
            quantizer.distanceTable(query, into: table)
        }
        if quantizer.bits == 8 { return }
        for i in stride(from: quantizer.subvectors - 1, through: 1, by: -1) {
            for c in 0..<16 { table[i * 256 + c] = table[i * 16 + c] }
        }
    }

    package func nodeQuery(_ node: UInt32, scratch: UnsafeMutableRawPointer) -> UnsafeRawPointer {
        let m = quantizer.subvectors
        let width = quantizer.subdimension
        let vector = ScratchMemory<Float>(count: quantizer.dimension, repeating: 0)
        for i in 0..<m {
            let word = (i * quantizer.codewords + Int(codes.pointer[Int(node) * m + i])) * width
            for j in 0..<width { vector.pointer[i * width + j] = quantizer.codebook[word + j] }
        }
        prepare(vector.pointer, into: scratch)
        return UnsafeRawPointer(scratch)
    }

    package func distances(
        from query: UnsafeRawPointer,
        to ids: UnsafePointer<UInt32>,
        count: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        RowCodes.gather(
            codes.pointer,
            ids: ids,
            count: count,
            subvectors: quantizer.subvectors,
            table: query.assumingMemoryBound(to: Float.self),
            base: isDot ? 1 : 0,
            into: out
        )
    }
}
