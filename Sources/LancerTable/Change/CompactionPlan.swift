import LancerBytes

/// When fragments are written anew as fewer and larger ones.
package struct CompactionRules: Sendable {
    /// Rows that a fragment should have; smaller ones are merged with their neighbours.
    package var targetRows: Int
    /// Bytes of data files that a fragment should have; one with as many is not merged however few its rows are.
    package var targetBytes: UInt64
    /// Share of deleted rows above which a fragment is written anew, 0 to 1.
    package var deletedShare: Double

    /// - Throws: `invalidArgument`.
    package init(targetRows: Int, targetBytes: UInt64 = .max, deletedShare: Double) throws(LanceError) {
        guard targetRows > 0, targetRows < UInt32.max else {
            throw .invalidArgument("fragments of \(targetRows) rows; 1 to \(UInt32.max - 1) are possible")
        }
        guard targetBytes > 0 else { throw .invalidArgument("fragments of 0 bytes") }
        guard (0...1).contains(deletedShare) else {
            throw .invalidArgument("a share of \(deletedShare); 0 to 1 is possible")
        }
        self.targetRows = targetRows
        self.targetBytes = targetBytes
        self.deletedShare = deletedShare
    }

    /// Whether so many rows or bytes make a whole fragment.
    func isWhole(rows: Int, bytes: UInt64) -> Bool { rows >= targetRows || bytes >= targetBytes }

    /// Whether a fragment needs no neighbours. Half of the bytes are enough: files written for a target turn out a little
    /// smaller, as larger pages compress better, and should not be merged again every time.
    func needsNoMerge(rows: Int, bytes: UInt64) -> Bool { rows >= targetRows || bytes >= targetBytes - targetBytes / 2 }
}

/// What is known of a fragment without reading its data.
package struct FragmentSize: Sendable {
    package var fragment: Fragment
    /// Rows in its files.
    package var physicalRows: Int
    /// Rows that are not deleted.
    package var liveRows: Int
    /// The index segments that cover it; only fragments with the same ones are merged, so that none loses its rows.
    package var coverage: [Int]

    package init(fragment: Fragment, physicalRows: Int, liveRows: Int, coverage: [Int] = []) {
        self.fragment = fragment
        self.physicalRows = physicalRows
        self.liveRows = liveRows
        self.coverage = coverage
    }

    /// About the bytes its live rows take, 0 when the manifest does not say.
    var liveBytes: UInt64 {
        let bytes = fragment.files.reduce(UInt64(0)) { $0.addingReportingOverflow($1.sizeInBytes ?? 0).partialValue }
        guard physicalRows > 0 else { return bytes }
        return UInt64(exactly: (Double(bytes) * Double(liveRows) / Double(physicalRows)).rounded()) ?? bytes
    }
}

/// Runs of neighbouring fragments to be merged. The reference's way of choosing them.
package struct CompactionPlan: Sendable {
    /// Neighbours that become fragments of about the target's number of rows.
    package struct Bin: Sendable {
        package var fragments: [Fragment]
        /// Live rows in all of them.
        package var rowCount: Int
        /// About the bytes they take.
        package var byteCount: UInt64

        /// Most rows in each new file, so that all are about as large.
        package func rowsPerFile(_ rules: CompactionRules) -> Int {
            let byBytes = Int(clamping: byteCount / rules.targetBytes)
            let files = Swift.max(1, Swift.max(rowCount / rules.targetRows, Swift.min(byBytes, rowCount)))
            return Swift.max(1, (rowCount + files - 1) / files)
        }
    }

    package private(set) var bins: [Bin] = []

    /// - Parameters:
    ///   - fragments: All fragments of a version in order.
    ///   - rules: What is worth being written anew.
    package init(_ fragments: [FragmentSize], _ rules: CompactionRules) {
        var run: [(size: FragmentSize, mustGo: Bool)] = []
        for size in fragments {
            let gone = size.physicalRows - size.liveRows
            let mustGo = Double(gone) > Double(size.physicalRows) * rules.deletedShare
            if let last = run.last, last.size.coverage != size.coverage { close(&run, rules) }
            if mustGo || !rules.needsNoMerge(rows: size.physicalRows, bytes: size.liveBytes) {
                run.append((size, mustGo))
            } else {
                close(&run, rules)
            }
        }
        close(&run, rules)
    }

    /// Cuts a run of candidates into bins of at least the target's rows or bytes; a remainder joins the last bin.
    private mutating func close(_ run: inout [(size: FragmentSize, mustGo: Bool)], _ rules: CompactionRules) {
        var cut: [(bin: Bin, mustGo: Bool)] = []
        var current = Bin(fragments: [], rowCount: 0, byteCount: 0)
        var mustGo = false
        for (size, isFull) in run {
            current.fragments.append(size.fragment)
            current.rowCount += size.liveRows
            current.byteCount = current.byteCount.addingReportingOverflow(size.liveBytes).partialValue
            mustGo = mustGo || isFull
            if rules.isWhole(rows: current.rowCount, bytes: current.byteCount) {
                cut.append((current, mustGo))
                current = Bin(fragments: [], rowCount: 0, byteCount: 0)
                mustGo = false
            }
        }
        if !current.fragments.isEmpty {
            if let last = cut.indices.last {
                cut[last].bin.fragments += current.fragments
                cut[last].bin.rowCount += current.rowCount
                cut[last].bin.byteCount =
                    cut[last].bin.byteCount.addingReportingOverflow(current.byteCount).partialValue
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
