import LancerBytes
import LancerKernels

/// A codebook of product quantisation (Jégou, Douze, Schmid 2011): a vector is cut into sub-vectors, each replaced by the number
/// of the nearest codeword of its own list.
///
/// Layout: format-map of the codebook tensor: [sub-vectors][codewords][numbers of a sub-vector].
/// Spec: 13-vector-index.md, "Product quantization".
package struct ProductQuantizer: Sendable {
    /// How to train.
    package struct Options: Sendable {
        /// Number of sub-vectors, a divisor of the dimension.
        package var subvectors: Int
        /// 4 or 8.
        package var bits = 8
        /// Lloyd iterations for each sub-vector.
        package var maxIterations = 10
        /// Sampled rows for each codeword.
        package var sampledRowsPerCodeword = 64
        /// Whether codewords are moved outward, for better order among distances: see ``ProductQuantizer/stretch(_:lost:)``.
        package var stretches = false
        /// Decides every random choice.
        package var seed: UInt64 = 42

        /// The usual settings for a number of sub-vectors.
        package init(subvectors: Int) { self.subvectors = subvectors }
    }

    /// Numbers in a vector.
    package let dimension: Int
    /// Number of sub-vectors.
    package let subvectors: Int
    /// Bits of a code: 4 or 8.
    package let bits: Int
    /// The codewords, sub-vector by sub-vector.
    package let codebook: [Float]

    private let transposed: ScratchMemory<Float>
    /// Squared lengths of the codewords.
    private let squares: ScratchMemory<Float>
    private let panels: [CentroidPanels]

    /// Codewords of a sub-vector.
    package var codewords: Int { 1 << bits }
    /// Numbers in a sub-vector.
    package var subdimension: Int { dimension / subvectors }
    /// Bytes of one vector's codes.
    package var codeByteCount: Int { subvectors * bits / 8 }
    /// Numbers in a distance table.
    package var tableCount: Int { subvectors * codewords }

    /// Whether vectors can be cut so.
    ///
    /// - Throws: `LanceError` (`invalidArgument`).
    package static func check(dimension: Int, subvectors: Int, bits: Int) throws(LanceError) {
        guard bits == 4 || bits == 8 else {
            throw LanceError.invalidArgument("product quantisation has codes of 4 or 8 bits, not \(bits)")
        }
        guard subvectors > 0, dimension > 0, dimension % subvectors == 0 else {
            throw LanceError.invalidArgument("dimension \(dimension) is not divisible by \(subvectors) sub-vectors")
        }
        guard bits == 8 || subvectors % 2 == 0 else {
            throw LanceError.invalidArgument("codes of 4 bits need an even number of sub-vectors, not \(subvectors)")
        }
    }

    /// A codebook that is known, as read from an index.
    ///
    /// - Throws: `LanceError` (`invalidArgument`) if its size does not fit the rest.
    package init(codebook: [Float], dimension: Int, subvectors: Int, bits: Int) throws(LanceError) {
        try Self.check(dimension: dimension, subvectors: subvectors, bits: bits)
        guard codebook.count == dimension << bits else {
            throw LanceError.invalidArgument(
                "a codebook of \(dimension) dimensions and \(bits) bits has \(dimension << bits) numbers, not \(codebook.count)"
            )
        }
        self.codebook = codebook
        self.dimension = dimension
        self.subvectors = subvectors
        self.bits = bits
        let codewords = 1 << bits
        let width = dimension / subvectors
        transposed = ScratchMemory(count: codebook.count, repeating: 0)
        for i in 0..<subvectors {
            let base = i * codewords * width
            for c in 0..<codewords {
                for j in 0..<width { transposed.pointer[base + j * codewords + c] = codebook[base + c * width + j] }
            }
        }
        squares = ScratchMemory(count: subvectors * codewords, repeating: 0)
        for word in 0..<subvectors * codewords {
            for j in 0..<width { squares.pointer[word] += codebook[word * width + j] * codebook[word * width + j] }
        }
        panels = codebook.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return [] }
            return (0..<subvectors).map {
                CentroidPanels(base + $0 * codewords * width, count: codewords, dimension: width)
            }
        }
    }

    /// Learns a codebook from float rows: residuals for l2 and cosine, the vectors themselves for dot.
    ///
    /// Threads share out the sub-vectors; the result does not depend on them.
    ///
    /// - Throws: `LanceError` (`invalidArgument`) if there are fewer finite rows than codewords, or the options make no sense;
    ///   `CancellationError`.
    package static func train(
        _ rows: VectorRows,
        _ options: Options,
        control: BuildControl = BuildControl()
    ) throws -> ProductQuantizer {
        try check(dimension: rows.dimension, subvectors: options.subvectors, bits: options.bits)
        let codewords = 1 << options.bits
        guard rows.count >= codewords else {
            throw LanceError.invalidArgument(
                "\(options.bits)-bit codes need \(codewords) vectors to train on, not \(rows.count)"
            )
        }
        // One sample for all sub-vectors, copied once: rows that lie close together train faster than strided ones.
        let wanted = min(rows.count, codewords * max(options.sampledRowsPerCodeword, 1))
        let width = rows.dimension / options.subvectors
        var random = SeededRandom(seed: options.seed)
        let chosen = random.sample(wanted, of: rows.count)
        let codebook = ScratchMemory<Float>(count: rows.dimension * codewords, repeating: 0)
        let failures = Failures(count: options.subvectors)
        let lost = ScratchMemory<Double>(count: options.subvectors, repeating: 0)
        let group = max(control.threads, 1) * 2
        for first in stride(from: 0, to: options.subvectors, by: group) {
            try control.check(.codebook, Double(first) / Double(options.subvectors))
            control.parallel(min(group, options.subvectors - first)) { offset in
                let i = first + offset
                let part = ScratchMemory<Float>(count: wanted * width, repeating: 0)
                let columns = rows.columns(i * width..<(i + 1) * width)
                for (to, from) in chosen.enumerated() { columns.widen(from, into: part.pointer + to * width) }
                var kmeans = KMeans.Options(clusterCount: codewords)
                kmeans.maxIterations = options.maxIterations
                kmeans.sampledRowsPerCluster = wanted
                kmeans.seed = options.seed &+ UInt64(i) &* 0x9E37_79B9
                kmeans.stage = .codebook
                do {
                    let rows = VectorRows(part.pointer, count: wanted, dimension: width)
                    let model = try KMeans.train(rows, kmeans)
                    lost.pointer[i] = model.inertia
                    for (j, value) in model.centroids.enumerated() {
                        codebook.pointer[i * codewords * width + j] = value
                    }
                } catch {
                    failures.errors[i] = error
                }
            }
        }
        if let error = failures.errors.lazy.compactMap({ $0 }).first { throw error }
        try control.check(.codebook, 1)
        if options.stretches {
            let whole = ScratchMemory<Float>(count: rows.dimension, repeating: 0)
            var all = 0.0
            for row in chosen {
                rows.widen(row, into: whole.pointer)
                let square = VectorSum.exactSquares(whole.pointer, rows.dimension)
                if square.isFinite { all += square }
            }
            let factor = Float(stretch(all, lost: lost.buffer.reduce(0, +)))
            for j in 0..<codebook.count { codebook.pointer[j] *= factor }
        }
        return try ProductQuantizer(
            codebook: Array(codebook.buffer),
            dimension: rows.dimension,
            subvectors: options.subvectors,
            bits: options.bits
        )
    }

    /// The factor by which codewords are moved outward.
    ///
    /// A codeword is the mean of its sub-vectors and shorter than they are: what stands for a vector has, on average, the vector's
    /// squared length less its squared error. Distances from queries that have nothing to do with a row come out too small by
    /// that error, the more so the worse a row is met, and such rows push in among the nearest. Codewords of the rows' own
    /// length would end that, at the price of a greater error. Two thirds of the way gave the best recall over
    /// embeddings and random clusters, up to a fifth: beyond, with few bits a dimension, the error outweighs.
    ///
    /// - Parameters:
    ///   - squares: sum of the rows' squared lengths.
    ///   - lost: sum of their squared distances from their codewords.
    package static func stretch(_ squares: Double, lost: Double) -> Double {
        let kept = squares - lost
        guard kept > 0, lost > 0 else { return 1 }
        return min(1 + ((squares / kept).squareRoot() - 1) * 2 / 3, 1.2)
    }

    /// Errors by sub-vector; each is written by one thread.
    private final class Failures {
        let errors: UnsafeMutableBufferPointer<(any Error)?>

        init(count: Int) {
            errors = .allocate(capacity: count)
            errors.initialize(repeating: nil)
        }

        deinit {
            errors.deinitialize()
            errors.deallocate()
        }
    }

    /// Codes of float rows, each sub-vector replaced by the nearest codeword; what is not finite becomes codeword 0.
    ///
    /// - Parameters:
    ///   - codes: byte b of row r is written to r·rowStep + b·byteStep. Rows one after another: (``codeByteCount``, 1); as the
    ///     format stores a partition: (1, number of its rows).
    package func encode(
        _ rows: VectorRows,
        into codes: UnsafeMutablePointer<UInt8>,
        rowStep: Int,
        byteStep: Int,
        control: BuildControl = BuildControl()
    ) {
        let block = 1024
        control.parallel((rows.count + block - 1) / block) { part in
            let begin = part * block
            let slice = rows.slice(begin..<min(rows.count, begin + block))
            let index = ScratchMemory<UInt32>(count: slice.count, repeating: 0)
            let score = ScratchMemory<Float>(count: slice.count, repeating: 0)
            for i in 0..<subvectors {
                let columns = slice.columns(i * subdimension..<(i + 1) * subdimension)
                panels[i].assign(columns, index: index.pointer, score: score.pointer)
                let byte = bits == 8 ? i : i / 2
                let to = codes + begin * rowStep + byte * byteStep
                for r in 0..<slice.count {
                    let found = index.pointer[r]
                    let code = found == CentroidPanels.none ? 0 : UInt8(truncatingIfNeeded: found)
                    if bits == 8 || i % 2 == 0 {
                        to[r * rowStep] = code
                    } else {
                        to[r * rowStep] |= code << 4
                    }
                }
            }
        }
    }

    /// The vector that codes stand for; byte b of the codes is at b·byteStep.
    package func decode(_ codes: UnsafePointer<UInt8>, byteStep: Int, into vector: UnsafeMutablePointer<Float>) {
        let width = subdimension
        for i in 0..<subvectors {
            let byte = codes[(bits == 8 ? i : i / 2) * byteStep]
            let code = bits == 8 ? Int(byte) : Int(i % 2 == 0 ? byte & 15 : byte >> 4)
            for j in 0..<width { vector[i * width + j] = codebook[(i * codewords + code) * width + j] }
        }
    }

    /// The squared distance of a vector from what codes stand for; byte b of the codes is at b·byteStep.
    package func distance(
        of codes: UnsafePointer<UInt8>,
        byteStep: Int,
        from vector: UnsafePointer<Float>
    ) -> Float {
        let width = subdimension
        return codebook.withUnsafeBufferPointer { codebook in
            var sum: Float = 0
            guard let words = codebook.baseAddress else { return sum }
            if bits == 8 {
                return Codewords.distance(
                    codes,
                    step: byteStep,
                    subvectors: subvectors,
                    subdimension: width,
                    codebook: words,
                    from: vector
                )
            }
            for i in 0..<subvectors {
                let byte = codes[i / 2 * byteStep]
                let code = Int(i % 2 == 0 ? byte & 15 : byte >> 4)
                let word = words + (i * codewords + code) * width
                let part = vector + i * width
                var own: Float = 0
                for j in 0..<width {
                    let difference = part[j] - word[j]
                    own += difference * difference
                }
                sum += own
            }
            return sum
        }
    }

    /// Squared distances of the sub-vectors of `query` (for l2 and cosine: less the partition's centroid) from all codewords:
    /// the sum of a row's entries is its squared distance.
    package func distanceTable(_ query: UnsafePointer<Float>, into table: UnsafeMutablePointer<Float>) {
        ProductTable.l2(
            query,
            transposed: transposed.pointer,
            subvectors: subvectors,
            codewords: codewords,
            subdimension: subdimension,
            into: table
        )
    }

    /// Inner products of the sub-vectors of `query` with all codewords, times `scale` (−1 for dot distances, with base 1; −2
    /// where squares are in the rows' bias).
    package func productTable(
        _ query: UnsafePointer<Float>,
        scale: Float,
        into table: UnsafeMutablePointer<Float>
    ) {
        // The scales in use are powers of two: it is the same to the bit whether the products or, much fewer, the query's
        // numbers are multiplied.
        withUnsafeTemporaryAllocation(of: Float.self, capacity: dimension) { scaled in
            guard let scaled = scaled.baseAddress else { return }
            for j in 0..<dimension { (scaled + j).initialize(to: query[j] * scale) }
            ProductTable.products(
                scaled,
                transposed: transposed.pointer,
                subvectors: subvectors,
                codewords: codewords,
                subdimension: subdimension,
                into: table
            )
        }
    }

    /// For each row |c + x̂|², where c is the partition's centroid (nil: the origin) and x̂ what its codes stand for.
    ///
    /// With it as `ProductCodes.bias`, ``productTable(_:scale:into:)`` of the whole query with scale −2 and base |q|², one table
    /// serves all partitions: |q − c − x̂|² = |q|² − 2q·c − 2q·x̂ + |c + x̂|², with base |q|² − 2q·c for each partition. Rounding
    /// is relative to |q|² and |c + x̂|², not to the distance: recompute the hits from residuals where that matters.
    package func squares(
        of codes: ProductCodes,
        centroid: UnsafePointer<Float>?,
        into out: UnsafeMutablePointer<Float>
    ) {
        // |c + x̂|² = |c|² + Σ over sub-vectors (|x̂ᵢ|² + 2 cᵢ·x̂ᵢ): a table as any other.
        let table = ScratchMemory<Float>(count: tableCount, repeating: 0)
        var base: Float = 0
        if let centroid { productTable(centroid, scale: 2, into: table.pointer) }
        for i in 0..<tableCount { table.pointer[i] += squares.pointer[i] }
        if let centroid { for j in 0..<dimension { base += centroid[j] * centroid[j] } }
        codes.distances(table.pointer, base: base, into: out)
    }
}
