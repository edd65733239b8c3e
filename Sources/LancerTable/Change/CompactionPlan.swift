import LancerBytes

/// When fragments are written anew as fewer and larger ones.
package struct CompactionRules: Sendable {
    /// Rows that a fragment should have; smaller ones are merged with their neighbours.
    package var targetRows: Int
    /// Share of deleted rows above which a fragment is written anew, 0 to 1.
    package var deletedShare: Double

    /// - Throws: `invalidArgument`.
    package init(targetRows: Int, deletedShare: Double) throws(LanceError) {
        guard targetRows > 0, targetRows < UInt32.max else {
            throw .invalidArgument("fragments of \(targetRows) rows; 1 to \(UInt32.max - 1) are possible")
        }
        guard (0...1).contains(deletedShare) else { throw .invalidArgument("a share of \(deletedShare); 0 to 1 is") }
        self.targetRows = targetRows
        self.deletedShare = deletedShare
    }
}

/// Runs of neighbouring fragments to be merged. The reference's way of choosing them.
package struct CompactionPlan: Sendable {
    /// Neighbours that become fragments of about the target's number of rows.
    package struct Bin: Sendable {
        package var fragments: [Fragment]
        /// Live rows in all of them.
        package var rowCount: Int

        /// Most rows in each new file, so that all are about as large.
        func rowsPerFile(_ rules: CompactionRules) -> Int {
            let files = Swift.max(1, rowCount / rules.targetRows)
            return Swift.max(1, (rowCount + files - 1) / files)
        }
    }

    package private(set) var bins: [Bin] = []

    /// - Parameters:
    ///   - fragments: All fragments of a version in order, with the number of rows, deleted ones not counted.
    ///   - rules: What is worth being written anew.
    init(_ fragments: [(fragment: Fragment, physical: Int, live: Int)], _ rules: CompactionRules) {
        var run: [(fragment: Fragment, live: Int, mustGo: Bool)] = []
        for (fragment, physical, live) in fragments {
            let mustGo = Double(physical - live) > Double(physical) * rules.deletedShare
            if physical < rules.targetRows || mustGo {
                run.append((fragment, live, mustGo))
            } else {
                close(&run, rules)
            }
        }
        close(&run, rules)
    }

    /// Cuts a run of candidates into bins of at least the target's rows; a remainder joins the last bin.
    private mutating func close(_ run: inout [(fragment: Fragment, live: Int, mustGo: Bool)], _ rules: CompactionRules)
    {
        var cut: [(bin: Bin, mustGo: Bool)] = []
        var current = Bin(fragments: [], rowCount: 0)
        var mustGo = false
        for (fragment, live, isFull) in run {
            current.fragments.append(fragment)
            current.rowCount += live
            mustGo = mustGo || isFull
            if current.rowCount >= rules.targetRows {
                cut.append((current, mustGo))
                current = Bin(fragments: [], rowCount: 0)
                mustGo = false
            }
        }
        if !current.fragments.isEmpty {
            if let last = cut.indices.last {
                cut[last].bin.fragments += current.fragments
                cut[last].bin.rowCount += current.rowCount
                cut[last].mustGo = cut[last].mustGo || mustGo
            } else {
                cut.append((current, mustGo))
            }
        }
        // One small fragment alone is as good as it gets.
        bins += cut.filter { $0.bin.fragments.count > 1 || $0.mustGo }.map(\.bin)
        run = []
    }
}
