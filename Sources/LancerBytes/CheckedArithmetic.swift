extension FixedWidthInteger {
    /// `self + other`, or an error naming what overflowed.
    @inlinable
    package func adding(_ other: Self, _ what: @autoclosure () -> String) throws(LanceError) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        if overflow { throw .corrupt("\(what()): \(self) + \(other) overflows") }
        return sum
    }

    /// `self * other`, or an error naming what overflowed.
    @inlinable
    package func multiplied(by other: Self, _ what: @autoclosure () -> String) throws(LanceError) -> Self {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        if overflow { throw .corrupt("\(what()): \(self) * \(other) overflows") }
        return product
    }
}

extension Int {
    /// A number read from a file as an `Int`, or an error naming it.
    @inlinable
    package init(checked value: some BinaryInteger, _ what: @autoclosure () -> String) throws(LanceError) {
        guard let exact = Int(exactly: value) else { throw .corrupt("\(what()) is out of range: \(value)") }
        self = exact
    }

    /// The smallest multiple of `alignment` (a power of two) that is not below `self`; `self` must not be near `max`.
    @inlinable
    package func rounded(upTo alignment: Int) -> Int { (self &+ (alignment &- 1)) & ~(alignment &- 1) }
}
