import LancerKernels

/// Which row ids a search may return: a bit map for each group of ids with the same upper half (a fragment, for row addresses).
package struct RowSelection: Sendable {
    fileprivate struct Group: Sendable {
        /// Bits of the group's first rows, and how many words they are.
        var words: ScratchMemory<UInt64>
        /// The answer beyond them.
        var beyond: Bool
        /// Set bits.
        var allowedCount: Int
    }

    fileprivate var groups: [UInt32: Group] = [:]
    /// The answer for groups that were not set.
    fileprivate let others: Bool

    private var kept: SelectionView?

    /// All rows, or none, until groups are set.
    package init(others: Bool) { self.others = others }

    /// Allows or refuses all rows of a group.
    package mutating func set(group: UInt32, allowed: Bool) { set(group: group, words: [], beyond: allowed) }

    /// Allows the rows of a group whose bit is set.
    ///
    /// - Parameters:
    ///   - words: bit i of word j is for the row whose lower half is 64·j + i.
    ///   - beyond: the answer for rows beyond the words.
    package mutating func set(group: UInt32, words: [UInt64], beyond: Bool = false) {
        let copy = ScratchMemory<UInt64>(count: words.count, repeating: 0)
        var allowed = 0
        for (i, word) in words.enumerated() {
            copy.pointer[i] = word
            allowed += word.nonzeroBitCount
        }
        kept = nil
        groups[group] = Group(words: copy, beyond: beyond, allowedCount: allowed)
    }

    /// Whether a row may be returned.
    package func allows(_ rowID: UInt64) -> Bool {
        guard let group = groups[UInt32(truncatingIfNeeded: rowID >> 32)] else { return others }
        return SelectionView.bit(group.words.pointer, group.words.count, group.beyond, rowID)
    }

    /// The selection with what searches need of it, for those that use it again and again.
    package func prepared() -> RowSelection {
        var result = self
        result.kept = nil
        result.kept = SelectionView(result)
        return result
    }

    /// The selection ready for many questions.
    var view: SelectionView { kept ?? SelectionView(self) }

    /// How many rows may be returned, if that is known: not where all rows of a group, or of other groups, may.
    fileprivate var allowedCount: Int? {
        if others || groups.values.contains(where: \.beyond) { return nil }
        return groups.values.reduce(0) { $0 + $1.allowedCount }
    }
}

/// A selection ready for many questions.
final class SelectionView: @unchecked Sendable {
    fileprivate struct Entry {
        var words: UnsafePointer<UInt64>?
        var count: Int
        var beyond: Bool
    }

    /// Groups with a place in the table; others, which row addresses hardly have, are looked up.
    private static let mostEntries = 1 << 16

    /// The question alone, for loops; the view must outlive it.
    struct Bits {
        fileprivate let table: UnsafePointer<Entry>
        fileprivate let count: Int
        fileprivate let view: Unmanaged<SelectionView>

        @inline(__always)
        func allows(_ rowID: UInt64) -> Bool {
            let group = Int(truncatingIfNeeded: rowID >> 32)
            guard group < count else { return view._withUnsafeGuaranteedRef { $0.selection.allows(rowID) } }
            let entry = table[group]
            guard let words = entry.words else { return entry.beyond }
            return SelectionView.bit(words, entry.count, entry.beyond, rowID)
        }
    }

    // Safe to share: nothing changes after init, and the selection keeps the words alive.
    private let selection: RowSelection
    private let table: ScratchMemory<Entry>
    /// How many rows may be returned, if that is known.
    let allowedCount: Int?

    init(_ selection: RowSelection) {
        self.selection = selection
        allowedCount = selection.allowedCount
        let last = selection.groups.keys.lazy.filter { $0 < Self.mostEntries }.max().map { Int($0) + 1 } ?? 0
        table = ScratchMemory(count: last, repeating: Entry(words: nil, count: 0, beyond: selection.others))
        for (number, group) in selection.groups where Int(number) < last {
            table.pointer[Int(number)] = Entry(
                words: UnsafePointer(group.words.pointer),
                count: group.words.count,
                beyond: group.beyond
            )
        }
    }

    var bits: Bits {
        Bits(table: UnsafePointer(table.pointer), count: table.count, view: Unmanaged.passUnretained(self))
    }

    func allows(_ rowID: UInt64) -> Bool { bits.allows(rowID) }

    @inline(__always)
    fileprivate static func bit(_ words: UnsafePointer<UInt64>, _ count: Int, _ beyond: Bool, _ rowID: UInt64) -> Bool {
        let low = Int(UInt32(truncatingIfNeeded: rowID))
        return low >> 6 < count ? words[low >> 6] >> UInt64(low & 63) & 1 == 1 : beyond
    }
}
