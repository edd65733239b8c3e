import CLancerKernels

/// What the numbers of a matrix are.
package enum VectorElement: Sendable, CaseIterable {
    case float32, float16, uint8

    /// Bytes of one number.
    package var byteCount: Int {
        switch self {
        case .float32: 4
        case .float16: 2
        case .uint8: 1
        }
    }
}

/// How near two vectors are; smaller is nearer.
package enum VectorMetric: Sendable, CaseIterable {
    /// The squared Euclidean distance.
    case l2
    /// 1 − q·x
    case dot
    /// 1 − q·x / (|q| |x|); NaN where one of them is zero.
    case cosine
}

/// A view of vectors that lie in memory one after another at equal distances, aligned or not.
///
/// The memory must outlive the view and stay unchanged while it is used.
package struct VectorRows: @unchecked Sendable {
    /// The first row's first byte.
    package let base: UnsafeRawPointer
    /// Bytes from one row to the next.
    package let stride: Int
    /// Number of rows.
    package let count: Int
    /// Numbers in a row.
    package let dimension: Int
    /// Their type.
    package let element: VectorElement

    /// A view of `count` rows; `stride` is that of rows without gaps unless given.
    package init(
        _ base: UnsafeRawPointer,
        count: Int,
        dimension: Int,
        element: VectorElement = .float32,
        stride: Int? = nil
    ) {
        self.base = base
        self.count = count
        self.dimension = dimension
        self.element = element
        self.stride = stride ?? dimension * element.byteCount
    }

    /// The address of a row.
    @inlinable
    package func row(_ index: Int) -> UnsafeRawPointer { base + index * stride }

    /// Some of the rows.
    package func slice(_ range: Range<Int>) -> VectorRows {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "rows beyond the end")
        return VectorRows(
            base + range.lowerBound * stride,
            count: range.count,
            dimension: dimension,
            element: element,
            stride: stride
        )
    }

    /// Elements `range` of every row, as a matrix of their own.
    package func columns(_ range: Range<Int>) -> VectorRows {
        precondition(range.lowerBound >= 0 && range.upperBound <= dimension, "columns beyond the end")
        return VectorRows(
            base + range.lowerBound * element.byteCount,
            count: count,
            dimension: range.count,
            element: element,
            stride: stride
        )
    }

    /// Every `step`-th row, from the first.
    package func every(_ step: Int) -> VectorRows {
        precondition(step > 0, "a step is positive")
        return VectorRows(
            base,
            count: (count + step - 1) / step,
            dimension: dimension,
            element: element,
            stride: stride * step
        )
    }

    /// Distances of all rows from a query of `dimension` floats, into as many floats as there are rows.
    ///
    /// - Parameters:
    ///   - norm: length of the query; needed for cosine only.
    package func distances(
        _ metric: VectorMetric,
        from query: UnsafePointer<Float>,
        norm: Float = 1,
        into out: UnsafeMutablePointer<Float>
    ) {
        precondition(element != .uint8 || metric == .dot, "bytes are compared with bytes: byteDistances")
        switch (metric, element) {
        case (.l2, .float32): lk_l2_f32(query, base, stride, count, dimension, out)
        case (.l2, .float16): lk_l2_f16(query, base, stride, count, dimension, out)
        case (.dot, .float32):
            lk_dot_f32(query, base, stride, count, dimension, out)
            Self.oneMinus(out, count)
        case (.dot, .float16):
            lk_dot_f16(query, base, stride, count, dimension, out)
            Self.oneMinus(out, count)
        case (.cosine, .float32): lk_cosine_f32(query, norm, base, stride, count, dimension, out)
        case (.cosine, .float16): lk_cosine_f16(query, norm, base, stride, count, dimension, out)
        case (.dot, .uint8):
            lk_dot_u8(query, base, stride, count, dimension, out)
            Self.oneMinus(out, count)
        case (.l2, .uint8), (.cosine, .uint8):
            for i in 0..<count { out[i] = .nan }
        }
    }

    /// The inner product of a float query with every row.
    package func products(with query: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
        switch element {
        case .float32: lk_dot_f32(query, base, stride, count, dimension, out)
        case .float16: lk_dot_f16(query, base, stride, count, dimension, out)
        case .uint8: lk_dot_u8(query, base, stride, count, dimension, out)
        }
    }

    /// Squared Euclidean distances of byte rows from a byte query, exact but for one rounding to float.
    package func byteDistances(from query: UnsafePointer<UInt8>, into out: UnsafeMutablePointer<Float>) {
        precondition(element == .uint8, "byte rows only")
        lk_l2_u8(query, base, stride, count, dimension, out)
    }

    /// Squared Euclidean distances of rows `ids`, each below ``count``.
    package func gatherL2(
        from query: UnsafeRawPointer,
        ids: UnsafePointer<UInt32>,
        count: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        switch element {
        case .float32:
            let query = query.assumingMemoryBound(to: Float.self)
            lk_gather_l2_f32(query, base, stride, ids, count, dimension, out)
        case .float16:
            let query = query.assumingMemoryBound(to: Float.self)
            lk_gather_l2_f16(query, base, stride, ids, count, dimension, out)
        case .uint8:
            let query = query.assumingMemoryBound(to: UInt8.self)
            lk_gather_l2_u8(query, base, stride, ids, count, dimension, out)
        }
    }

    /// Inner products of a float query with rows `ids`, each below ``count``.
    package func gatherProducts(
        with query: UnsafePointer<Float>,
        ids: UnsafePointer<UInt32>,
        count: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        switch element {
        case .float32: lk_gather_dot_f32(query, base, stride, ids, count, dimension, out)
        case .float16: lk_gather_dot_f16(query, base, stride, ids, count, dimension, out)
        case .uint8: lk_gather_dot_u8(query, base, stride, ids, count, dimension, out)
        }
    }

    /// Copies a float or half row to floats.
    package func widen(_ index: Int, into out: UnsafeMutablePointer<Float>) {
        switch element {
        case .float32: UnsafeMutableRawPointer(out).copyMemory(from: row(index), byteCount: dimension * 4)
        case .float16: lk_widen_f16(row(index), dimension, out)
        case .uint8:
            let bytes = row(index).assumingMemoryBound(to: UInt8.self)
            for i in 0..<dimension { out[i] = Float(bytes[i]) }
        }
    }

    private static func oneMinus(_ out: UnsafeMutablePointer<Float>, _ count: Int) {
        for i in 0..<count { out[i] = 1 - out[i] }
    }
}

/// Conversions between floats and halves, at memory speed.
package enum HalfConversion {
    /// Halves (any alignment) to floats.
    package static func widen(_ halves: UnsafeRawPointer, count: Int, into out: UnsafeMutablePointer<Float>) {
        lk_widen_f16(halves, count, out)
    }

    /// Floats to the nearest halves, ties to even; too big ones become infinite.
    package static func narrow(_ values: UnsafePointer<Float>, count: Int, into halves: UnsafeMutableRawPointer) {
        lk_narrow_f32(values, count, halves)
    }
}
