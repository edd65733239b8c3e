import LancerBytes
import LancerIndex

/// Rows by fragment, as runs of offsets that ascend and do not touch.
typealias FragmentRuns = [UInt64: [Range<Int>]]

extension Table {
    /// The rows that a search in a segment may find: live ones in fragments that it covers. It may hold others, whose
    /// fragments were written anew or whose vectors changed.
    ///
    /// - Parameter chosen: The only rows wanted, by fragment; nil for all.
    /// - Throws: `corrupt`, `unsupported`, `io`.
    func liveRows(of entry: IndexEntry, among chosen: FragmentRuns? = nil) async throws -> RowSelection {
        guard chosen == nil else { return try await selection(of: entry, chosen) }
        return try await files.indices.liveRows(of: entry, manifest) { try await selection(of: entry, nil) }
    }

    /// The fragments of this version that a segment covers.
    func covered(by entry: IndexEntry) -> [Fragment] {
        let ids = Set(entry.fragments.map { UInt64($0) })
        return manifest.fragments.filter { ids.contains($0.id) }
    }

    private func selection(of entry: IndexEntry, _ chosen: FragmentRuns?) async throws -> RowSelection {
        var groups = RowBits()
        for fragment in covered(by: entry) {
            let runs: [Range<Int>]
            if let chosen {
                runs = chosen[fragment.id] ?? []
            } else {
                let rows = try await files.physicalRowCount(of: fragment, manifest)
                runs = try await files.deletionVector(of: fragment, manifest)?.liveRanges(in: 0..<rows) ?? [0..<rows]
            }
            guard manifest.hasStableRowIDs else {
                guard let group = UInt32(exactly: fragment.id) else { continue }
                for run in runs { groups.add(group, run) }
                continue
            }
            for ids in try RowIDSequence(of: fragment).selecting(runs).ranges { groups.add(ids) }
        }
        return groups.selection
    }
}

/// Row ids as bits, by the upper half of the ids.
private struct RowBits {
    private var groups: [UInt32: [UInt64]] = [:]

    /// Adds ids of one group.
    mutating func add(_ group: UInt32, _ run: Range<Int>) {
        if run.isEmpty { return }
        var words = groups.removeValue(forKey: group) ?? []
        let last = (run.upperBound - 1) >> 6
        if words.count <= last { words.append(contentsOf: repeatElement(0, count: last + 1 - words.count)) }
        let first = run.lowerBound >> 6
        let head = UInt64.max << UInt64(run.lowerBound & 63)
        let tail = UInt64.max >> UInt64(63 - (run.upperBound - 1) & 63)
        if first == last {
            words[first] |= head & tail
        } else {
            words[first] |= head
            for index in (first + 1)..<last { words[index] = .max }
            words[last] |= tail
        }
        groups[group] = words
    }

    /// Adds ids, which may be of several groups.
    mutating func add(_ ids: Range<UInt64>) {
        var start = ids.lowerBound
        while start < ids.upperBound {
            let end = Swift.min(ids.upperBound, (start >> 32 + 1) << 32)
            let low = Int(UInt32(truncatingIfNeeded: start))
            add(UInt32(truncatingIfNeeded: start >> 32), low..<(low + Int(end - start)))
            start = end
        }
    }

    var selection: RowSelection {
        var result = RowSelection(others: false)
        for (group, words) in groups { result.set(group: group, words: words) }
        return result
    }
}
