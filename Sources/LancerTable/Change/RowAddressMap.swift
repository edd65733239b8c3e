import LancerBytes

/// Where rows are after their fragments were written anew, for whoever keeps row addresses: an index.
///
/// Holds no address of a row, only the fragments' sizes and deleted rows.
package struct RowAddressMap: Sendable {
    private struct Source: Sendable {
        /// Live rows of the group before this fragment.
        var start: Int
        var physicalRows: Int
        var deleted: DeletionVector
        var group: Int
    }

    private struct Target: Sendable {
        var fragment: UInt64
        /// Rows of the group up to the end of this fragment.
        var end: Int
    }

    private var sources: [UInt64: Source] = [:]
    private var targets: [[Target]] = []
    /// Fragments written anew.
    package private(set) var oldFragments: [UInt64] = []
    /// Fragments that have their rows now.
    package private(set) var newFragments: [UInt64] = []

    /// Reads the deletion vectors of the old fragments.
    ///
    /// - Throws: `corrupt`, `io`.
    init(_ groups: [RewriteGroup], _ files: TableFiles, _ manifest: Manifest) async throws {
        for group in groups {
            var start = 0
            for fragment in group.old {
                let rows = try await files.physicalRowCount(of: fragment, manifest)
                // A fragment that only got another id keeps its deleted rows, and so its offsets.
                let deleted =
                    group.isRenumbering
                    ? DeletionVector()
                    : try await files.deletionVector(of: fragment, manifest) ?? DeletionVector()
                sources[fragment.id] = Source(
                    start: start,
                    physicalRows: rows,
                    deleted: deleted,
                    group: targets.count
                )
                start += rows - deleted.count
                oldFragments.append(fragment.id)
            }
            var end = 0
            var parts: [Target] = []
            for fragment in group.new {
                end += fragment.physicalRowCount ?? 0
                parts.append(Target(fragment: fragment.id, end: end))
                newFragments.append(fragment.id)
            }
            targets.append(parts)
        }
    }

    /// What became of a row.
    package enum Place: Sendable, Hashable {
        /// Its fragment was not written anew: the address is still right.
        case unchanged
        case moved(RowAddress)
        /// It was deleted.
        case gone
    }

    /// The place of the row that was at `old`.
    ///
    /// - Complexity: logarithmic in the number of deleted runs and of the group's new fragments.
    package func place(of old: RowAddress) -> Place {
        guard let source = sources[old.fragment] else { return .unchanged }
        let offset = Int(old.offset)
        guard offset < source.physicalRows, !source.deleted.contains(offset) else { return .gone }
        let row = source.start + offset - source.deleted.deletedCount(before: offset)
        let parts = targets[source.group]
        var (low, high) = (0, parts.count)
        while low < high {
            let middle = (low + high) / 2
            if parts[middle].end <= row { low = middle + 1 } else { high = middle }
        }
        guard low < parts.count else { return .gone }
        return .moved(RowAddress(fragment: parts[low].fragment, offset: row - (low == 0 ? 0 : parts[low - 1].end)))
    }
}
