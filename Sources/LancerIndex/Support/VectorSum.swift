/// Sums of a vector's squares, several chains of additions at a time.
enum VectorSum {
    /// In floats.
    static func squares(_ values: UnsafePointer<Float>, _ count: Int) -> Float {
        let bytes = UnsafeRawPointer(values)
        var sums = SIMD8<Float>.zero
        let whole = count & ~7
        for j in stride(from: 0, to: whole, by: 8) {
            let x = bytes.loadUnaligned(fromByteOffset: 4 * j, as: SIMD8<Float>.self)
            sums += x * x
        }
        var sum = sums.sum()
        for j in whole..<count { sum += values[j] * values[j] }
        return sum
    }

    /// In doubles.
    static func exactSquares(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
        let bytes = UnsafeRawPointer(values)
        var (sums, others) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
        let whole = count & ~7
        for j in stride(from: 0, to: whole, by: 8) {
            let x = SIMD4<Double>(bytes.loadUnaligned(fromByteOffset: 4 * j, as: SIMD4<Float>.self))
            let y = SIMD4<Double>(bytes.loadUnaligned(fromByteOffset: 4 * j + 16, as: SIMD4<Float>.self))
            sums += x * x
            others += y * y
        }
        var sum = (sums + others).sum()
        for j in whole..<count { sum += Double(values[j]) * Double(values[j]) }
        return sum
    }
}
