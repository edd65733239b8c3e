import LancerBytes
import LancerKernels

extension VectorElementType {
    /// Numbers of a column as floats. Doubles are rounded; those too big for a float become infinite.
    func widen(_ stored: ArrowBuffer, into out: UnsafeMutablePointer<Float>) {
        stored.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            widen(base, count: bytes.count / byteCount, into: out)
        }
    }

    /// `count` numbers (any alignment) as floats.
    func widen(_ stored: UnsafeRawPointer, count: Int, into out: UnsafeMutablePointer<Float>) {
        switch self {
        case .float32: UnsafeMutableRawPointer(out).copyMemory(from: stored, byteCount: count * 4)
        case .float16: HalfConversion.widen(stored, count: count, into: out)
        case .float64:
            for i in 0..<count { out[i] = Float(stored.loadUnaligned(fromByteOffset: 8 * i, as: Double.self)) }
        }
    }

    /// Floats as numbers of a column; halves are rounded to the nearest.
    func narrow(_ values: UnsafePointer<Float>, count: Int, into out: UnsafeMutableRawPointer) {
        switch self {
        case .float32: out.copyMemory(from: values, byteCount: count * 4)
        case .float16: HalfConversion.narrow(values, count: count, into: out)
        case .float64:
            for i in 0..<count { out.storeBytes(of: Double(values[i]), toByteOffset: 8 * i, as: Double.self) }
        }
    }

    /// Rounds floats to the nearest halves where the column's numbers are; the reference computes so.
    func round(_ values: UnsafeMutablePointer<Float>, count: Int) {
        guard self == .float16 else { return }
        let halves = ScratchMemory<UInt16>(count: count, repeating: 0)
        HalfConversion.narrow(values, count: count, into: halves.pointer)
        HalfConversion.widen(halves.pointer, count: count, into: values)
    }

    /// Floats as a buffer of the column's numbers.
    func stored(_ values: UnsafeBufferPointer<Float>) -> ArrowBuffer {
        ArrowBuffer(count: values.count * byteCount) { bytes in
            guard let from = values.baseAddress, let to = bytes.baseAddress else { return }
            narrow(from, count: values.count, into: to)
        }
    }
}
