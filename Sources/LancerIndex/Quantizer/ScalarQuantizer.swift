import LancerBytes
import LancerKernels

/// Numbers as bytes between two bounds (IVF_SQ).
///
/// code = clamp(floor((v − start) · 255 / (end − start)), 0, 255); v ≈ start + code · (end − start) / 255.
/// Spec: 13-vector-index.md, "Scalar quantization".
package struct ScalarQuantizer: Sendable, Equatable {
    /// The bounds of the numbers trained on.
    package let start, end: Double

    /// Given bounds, as read from an index.
    ///
    /// - Throws: `LanceError` (`corrupt`) unless both are finite and in order.
    package init(start: Double, end: Double) throws(LanceError) {
        guard start.isFinite, end.isFinite, start <= end else {
            throw LanceError.corrupt(
                "bounds of scalar quantisation must be finite and in order, not \(start) and \(end)"
            )
        }
        self.start = start
        self.end = end
    }

    /// The least and the greatest finite number of float rows (a sample).
    ///
    /// - Throws: `LanceError` (`invalidArgument`) if there is no finite number.
    package init(training rows: VectorRows) throws(LanceError) {
        var low = Float.infinity
        var high = -Float.infinity
        let row = ScratchMemory<Float>(count: rows.dimension, repeating: 0)
        for r in 0..<rows.count {
            rows.widen(r, into: row.pointer)
            for value in row.buffer where value.isFinite {
                low = min(low, value)
                high = max(high, value)
            }
        }
        guard low <= high else {
            throw LanceError.invalidArgument("scalar quantisation needs at least one finite vector to train on")
        }
        start = Double(low)
        end = Double(high)
    }

    /// What a difference of one in codes stands for.
    package var step: Double { (end - start) / 255 }

    /// Codes of numbers. NaN becomes 0, as do all numbers if the bounds are equal.
    package func encode(_ values: UnsafePointer<Float>, count: Int, into codes: UnsafeMutablePointer<UInt8>) {
        let width = end - start
        guard width > 0 else {
            for i in 0..<count { codes[i] = 0 }
            return
        }
        for i in 0..<count {
            let scaled = (Double(values[i]) - start) * 255 / width
            codes[i] = scaled >= 255 ? 255 : scaled > 0 ? UInt8(scaled) : 0
        }
    }

    /// Codes of float or half rows, one after another, on all threads.
    package func encode(
        _ rows: VectorRows,
        into codes: UnsafeMutablePointer<UInt8>,
        control: BuildControl = BuildControl()
    ) {
        let block = 256
        control.parallel((rows.count + block - 1) / block) { part in
            let row = ScratchMemory<Float>(count: rows.dimension, repeating: 0)
            for r in part * block..<min(rows.count, (part + 1) * block) {
                rows.widen(r, into: row.pointer)
                encode(row.pointer, count: rows.dimension, into: codes + r * rows.dimension)
            }
        }
    }

    /// Numbers that codes stand for.
    package func decode(_ codes: UnsafePointer<UInt8>, count: Int, into values: UnsafeMutablePointer<Float>) {
        for i in 0..<count { values[i] = Float(start + Double(codes[i]) * step) }
    }
}
