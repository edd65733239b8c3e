import LancerBytes
import LancerProto

extension TableCheck {
    /// Checks the stable row ids of a version: as many as rows, below the next one to be given, and in the newest version
    /// none twice among live rows.
    func checkRowIDs(of manifest: Manifest, isNewest: Bool, _ report: inout TableReport) async {
        guard manifest.hasStableRowIDs else { return }
        let files = TableFiles(store: store, comparison: .off)
        var seen = RowIDSet()
        for fragment in manifest.fragments {
            do {
                let rows = try await files.physicalRowCount(of: fragment, manifest)
                let ids = try RowIDSequence(of: fragment)
                guard ids.count == rows else { throw LanceError.corrupt("\(ids.count) row ids for \(rows) rows") }
                if let highest = ids.ranges.map(\.upperBound).max(), highest > manifest.message.nextRowID {
                    throw LanceError.corrupt(
                        "row id \(highest - 1) is not below \(manifest.message.nextRowID), the next one"
                    )
                }
                guard isNewest else { continue }
                let deleted = try? await files.deletionVector(of: fragment, manifest)
                for range in ids.selecting(deleted?.liveRanges(in: 0..<rows) ?? [0..<rows]).ranges {
                    for id in range where !seen.insert(id) {
                        throw LanceError.corrupt("row id \(id) is given to two rows")
                    }
                }
            } catch {
                let message = (error as? LanceError)?.message ?? "\(error)"
                report.add(
                    .rowIDs,
                    "fragment \(fragment.id): \(message)",
                    version: manifest.version,
                    fragment: fragment.id
                )
            }
        }
    }
}

/// Row ids, mostly next to each other: a bit each, in words of 64.
private struct RowIDSet {
    private var words: [UInt64: UInt64] = [:]

    /// Adds an id; false when it is there already.
    mutating func insert(_ id: UInt64) -> Bool {
        let bit = UInt64(1) << (id & 63)
        let before = words[id >> 6, default: 0]
        words[id >> 6] = before | bit
        return before & bit == 0
    }
}
