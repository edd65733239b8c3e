import CLancerKernels

/// Distance tables of product quantisation: one row of numbers per sub-vector, one number per codeword.
package enum ProductTable {
    /// Squared distances of the query's sub-vectors from all codewords.
    ///
    /// - Parameter transposed: the codebook as [sub-vectors][numbers of a sub-vector][codewords].
    package static func l2(
        _ query: UnsafePointer<Float>,
        transposed: UnsafePointer<Float>,
        subvectors: Int,
        codewords: Int,
        subdimension: Int,
        into table: UnsafeMutablePointer<Float>
    ) {
        lk_pq_table_l2(query, transposed, subvectors, codewords, subdimension, table)
    }

    /// Inner products of the query's sub-vectors with all codewords.
    package static func products(
        _ query: UnsafePointer<Float>,
        transposed: UnsafePointer<Float>,
        subvectors: Int,
        codewords: Int,
        subdimension: Int,
        into table: UnsafeMutablePointer<Float>
    ) {
        lk_pq_table_dot(query, transposed, subvectors, codewords, subdimension, table)
    }

    /// out = a + scale · b
    package static func combine(
        _ a: UnsafePointer<Float>,
        plus scale: Float,
        times b: UnsafePointer<Float>,
        count: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        lk_axpy(out, a, scale, b, count)
    }
}

/// The codes of a partition, sub-vector by sub-vector as the format stores them, with what their scan needs besides.
package struct ProductCodes: @unchecked Sendable {
    /// Code i of row r is byte i·stride + r (8 bits); with 4 bits byte (i/2)·stride + r, low nibble for even i.
    package let codes: UnsafePointer<UInt8>
    /// Bytes from one sub-vector's codes to the next one's: the number of rows, unless this is a part of a partition.
    package let stride: Int
    /// Number of rows.
    package let count: Int
    /// Number of sub-vectors.
    package let subvectors: Int
    /// 4 or 8.
    package let bits: Int
    /// A number for each row that is added to its distance, or nil.
    package let bias: UnsafePointer<Float>?

    /// Describes codes in memory, which must outlive this.
    package init(
        _ codes: UnsafePointer<UInt8>,
        stride: Int,
        count: Int,
        subvectors: Int,
        bits: Int,
        bias: UnsafePointer<Float>? = nil
    ) {
        precondition(bits == 4 || bits == 8, "codes have 4 or 8 bits")
        self.codes = codes
        self.stride = stride
        self.count = count
        self.subvectors = subvectors
        self.bits = bits
        self.bias = bias
    }

    /// Entries in a row of a table.
    package var codewords: Int { 1 << bits }

    /// Some of the rows.
    package func slice(_ range: Range<Int>) -> ProductCodes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "rows beyond the end")
        return ProductCodes(
            codes + range.lowerBound,
            stride: stride,
            count: range.count,
            subvectors: subvectors,
            bits: bits,
            bias: bias.map { $0 + range.lowerBound }
        )
    }

    /// The distances of all rows: table entries summed in the order of sub-vectors, plus `base` and the row's bias.
    package func distances(
        _ table: UnsafePointer<Float>,
        base: Float,
        into out: UnsafeMutablePointer<Float>
    ) {
        if bits == 8 {
            lk_pq_scan8(codes, stride, count, subvectors, table, base, bias, out)
        } else {
            lk_pq_scan4(codes, stride, count, subvectors, table, base, bias, out)
        }
    }

    /// The distances of rows `ids`, the same bits as from ``distances(_:base:into:)``.
    package func distances(
        _ table: UnsafePointer<Float>,
        base: Float,
        of ids: UnsafePointer<UInt32>,
        count: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        if bits == 8 {
            lk_pq_chosen8(codes, stride, ids, count, subvectors, table, base, bias, out)
        } else {
            lk_pq_chosen4(codes, stride, ids, count, subvectors, table, base, bias, out)
        }
    }

    /// Whether sums of rounded tables are found so much faster than exact ones that they are worth their making.
    package var hasFastFilter: Bool { bits == 4 ? SIMDLevel.current != .scalar : lk_has_fast_filter8() }

    /// Rows whose distance may be at most `limit`, by a table rounded down.
    ///
    /// - Parameter out: gets the rows' numbers, ascending; room for ``count`` + 64.
    /// - Returns: how many rows.
    package func candidates(
        _ table: RoundedTable,
        base: Float,
        limit: Float,
        into out: UnsafeMutablePointer<UInt32>
    ) -> Int {
        // Room for the rounding of the float sums that the bound is compared with.
        let magnitude = table.span + abs(table.offset) + abs(base) + abs(limit)
        let slack = magnitude * Float(subvectors + 8) * 2.4e-7
        let bytes = table.bytes.pointer
        let offset = base + table.offset
        return bits == 8
            ? lk_pq_filter8(codes, stride, count, subvectors, bytes, table.delta, offset, bias, limit + slack, out)
            : lk_pq_filter4(codes, stride, count, subvectors, bytes, table.delta, offset, bias, limit + slack, out)
    }
}

/// A distance table in bytes: each number less the least of its row, in steps of ``delta``, rounded down.
///
/// offset + delta · (sum of bytes) is never above the exact sum (rounding of floats aside), so a row for which it is above the
/// k-th best distance needs no exact sum.
package final class RoundedTable {
    fileprivate let bytes: ScratchMemory<UInt8>
    private let least: ScratchMemory<Float>
    private let greatest: ScratchMemory<Float>
    /// The step of the bytes.
    package private(set) var delta: Float = 0
    /// The sum of the rows' least numbers.
    package private(set) var offset: Float = 0
    /// The sum of the rows' differences between greatest and least, and of the magnitudes of the least.
    package private(set) var span: Float = 0

    /// Room for tables of `subvectors` rows of `codewords` numbers.
    package init(subvectors: Int, codewords: Int) {
        bytes = ScratchMemory(count: subvectors * codewords, repeating: 0)
        least = ScratchMemory(count: subvectors, repeating: 0)
        greatest = ScratchMemory(count: subvectors, repeating: 0)
    }

    /// Rounds a table.
    ///
    /// - Parameter limit: sums above this need not be told apart; the smaller, the finer the steps.
    /// - Returns: false if the table cannot be rounded because a number in it is not finite.
    package func update(_ table: UnsafePointer<Float>, limit: Float) -> Bool {
        let subvectors = least.count
        let codewords = bytes.count / max(subvectors, 1)
        lk_row_bounds(table, subvectors, codewords, least.pointer, greatest.pointer)
        offset = 0
        span = 0
        var widest: Float = 0
        for i in 0..<subvectors {
            offset += least.pointer[i]
            let width = greatest.pointer[i] - least.pointer[i]
            widest = max(widest, width)
            span += width + abs(least.pointer[i])
        }
        guard span.isFinite else { return false }
        let useful = limit - offset
        delta = max(min(widest, useful > 0 ? useful : 0) / 255, span * 1e-9)
        guard delta > 0, delta.isFinite, (1 / delta).isFinite else { return false }
        lk_pq_quantize(table, subvectors, codewords, least.pointer, 1 / delta, bytes.pointer)
        return true
    }
}

/// What codes of product quantisation stand for.
package enum Codewords {
    /// The squared distance of a vector from the codewords that one row's 8-bit codes name.
    ///
    /// - Parameters:
    ///   - codes: code i is at i · `step`.
    ///   - codebook: [sub-vectors][256][numbers of a sub-vector].
    package static func distance(
        _ codes: UnsafePointer<UInt8>,
        step: Int,
        subvectors: Int,
        subdimension: Int,
        codebook: UnsafePointer<Float>,
        from vector: UnsafePointer<Float>
    ) -> Float {
        lk_pq_distance8(codes, step, subvectors, subdimension, codebook, vector)
    }
}

/// Codes row by row, for graphs, which visit rows in no order.
package enum RowCodes {
    /// Distances of rows `ids`: table entries summed in the order of sub-vectors, plus `base`.
    ///
    /// - Parameter table: rows of 256 numbers; codes are one byte each.
    package static func gather(
        _ codes: UnsafePointer<UInt8>,
        ids: UnsafePointer<UInt32>,
        count: Int,
        subvectors: Int,
        table: UnsafePointer<Float>,
        base: Float,
        into out: UnsafeMutablePointer<Float>
    ) {
        lk_pq_gather8(codes, ids, count, subvectors, table, base, out)
    }
}

/// Search in lists of distances.
package enum DistanceFilter {
    /// The positions of numbers that are at most `limit`, ascending; `out` has room for `count` + 16.
    package static func atMost(
        _ limit: Float,
        in values: UnsafePointer<Float>,
        count: Int,
        into out: UnsafeMutablePointer<UInt32>
    ) -> Int { lk_select_at_most(values, count, limit, out) }
}
