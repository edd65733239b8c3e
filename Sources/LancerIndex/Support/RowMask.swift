/// Which rows of a partition may be returned: a bit per row, by position.
package struct RowMask: Sendable {
    private var words: [UInt64]
    /// Number of rows.
    package let count: Int

    /// All rows allowed, or none.
    package init(count: Int, allowed: Bool) {
        self.count = count
        words = Array(repeating: allowed ? .max : 0, count: (count + 63) / 64)
    }

    /// Whether a row is allowed; false beyond the end.
    @inlinable
    package subscript(row: UInt32) -> Bool {
        get { Int(row) < count && word(Int(row) >> 6) >> UInt64(row & 63) & 1 == 1 }
        set {
            precondition(Int(row) < count, "a row beyond the mask's end")
            setBit(Int(row) >> 6, UInt64(row & 63), newValue)
        }
    }

    @usableFromInline
    func word(_ index: Int) -> UInt64 { words[index] }

    @usableFromInline
    mutating func setBit(_ word: Int, _ bit: UInt64, _ value: Bool) {
        if value { words[word] |= 1 << bit } else { words[word] &= ~(1 << bit) }
    }

    /// How many rows are allowed.
    package var allowedCount: Int {
        var total = words.reduce(0) { $0 + $1.nonzeroBitCount }
        let used = count & 63
        if used > 0, let last = words.last { total -= (last & ~((1 << UInt64(used)) - 1)).nonzeroBitCount }
        return total
    }
}
