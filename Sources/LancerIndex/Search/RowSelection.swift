/// Which row ids a search may return: a bit map for each group of ids with the same upper half (a fragment, for row addresses).
package struct RowSelection: Sendable {
    private enum Group: Sendable {
        case all, none
        /// Words of bits, and the answer beyond them.
        case bits([UInt64], beyond: Bool)
    }

    private var groups: [Group] = []
    private var places: [UInt32: Int] = [:]
    /// The answer for groups that were not set.
    private let others: Bool

    /// All rows, or none, until groups are set.
    package init(others: Bool) { self.others = others }

    /// Allows or refuses all rows of a group.
    package mutating func set(group: UInt32, allowed: Bool) { put(group, allowed ? .all : .none) }

    /// Allows the rows of a group whose bit is set.
    ///
    /// - Parameters:
    ///   - words: bit i of word j is for the row whose lower half is 64·j + i.
    ///   - beyond: the answer for rows beyond the words.
    package mutating func set(group: UInt32, words: [UInt64], beyond: Bool = false) {
        put(group, .bits(words, beyond: beyond))
    }

    private mutating func put(_ group: UInt32, _ value: Group) {
        if let place = places[group] {
            groups[place] = value
        } else {
            places[group] = groups.count
            groups.append(value)
        }
    }

    /// Whether a row may be returned.
    package func allows(_ rowID: UInt64) -> Bool {
        guard let place = places[UInt32(truncatingIfNeeded: rowID >> 32)] else { return others }
        switch groups[place] {
        case .all: return true
        case .none: return false
        case .bits(let words, let beyond):
            let low = Int(UInt32(truncatingIfNeeded: rowID))
            return low >> 6 < words.count ? words[low >> 6] >> UInt64(low & 63) & 1 == 1 : beyond
        }
    }
}
