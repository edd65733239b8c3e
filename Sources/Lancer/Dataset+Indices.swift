import LancerBytes
import LancerFile
import LancerStorage
import LancerTable

/// An index of a table, with all its segments.
public struct IndexDescription: Sendable, Hashable {
    /// A part of an index: the rows of some fragments.
    public struct Segment: Sendable, Hashable {
        /// Name of its directory in `_indices`.
        public let uuid: String
        /// Ids of the fragments whose rows it has, as far as they are in this version.
        public let fragments: [UInt64]
        /// The version it was made from.
        public let datasetVersion: UInt64
        /// When it was made.
        public let createdAt: Timestamp?
        /// Bytes of its files; nil when the table does not say.
        public let sizeInBytes: UInt64?
        /// Version of its layout.
        public let layoutVersion: Int
    }

    /// Its name.
    public let name: String
    /// The columns it is on.
    public let columns: [String]
    /// The kind as the reference spells it, for example `IVF_PQ`, `IVF_HNSW_SQ`, `BTREE`.
    public let kind: String
    /// The metric of an index of vectors; nil for others, and when the table does not say.
    public let metric: DistanceMetric?
    /// Whether it is an index of vectors of a kind that Lancer can search.
    public let isSearchable: Bool
    /// Its segments, oldest first.
    public let segments: [Segment]
    /// Live rows in the fragments it covers.
    public let indexedRowCount: Int
    /// Live rows in the others.
    public let unindexedRowCount: Int

    /// Bytes of all files; nil when the table does not say of some.
    public var sizeInBytes: UInt64? {
        var total: UInt64 = 0
        for segment in segments {
            guard let size = segment.sizeInBytes else { return nil }
            total = total.addingReportingOverflow(size).partialValue
        }
        return total
    }
}

extension Dataset {
    /// The indices of this version, in the order of their names.
    ///
    /// - Throws: `corrupt`, `io`, the latter only for tables whose manifest lacks the numbers of rows.
    /// - Complexity: reads nothing.
    public func indices() async throws -> [IndexDescription] {
        var groups: [String: [IndexEntry]] = [:]
        for entry in try table.manifest.indexEntries() { groups[entry.name, default: []].append(entry) }
        var result: [IndexDescription] = []
        for (name, entries) in groups.sorted(by: { $0.key < $1.key }) {
            let rows = try await table.coveredRowCounts(of: entries)
            result.append(IndexDescription(name, entries, table.manifest, rows))
        }
        return result
    }

    /// Removes an index from the table. Its files stay until a cleanup removes the versions that have it.
    ///
    /// - Returns: The new version, with what other writers committed since this one.
    /// - Throws: `notFound` when there is no index of that name, `conflict`, `corrupt`, `io`.
    public func dropIndex(_ name: String, options: ChangeOptions = ChangeOptions()) async throws -> Dataset {
        let table = try await writable(options).dropIndex(name, commitMessage: options.message)
        return try Dataset(path: path, table: table)
    }
}

extension IndexDescription {
    fileprivate init(
        _ name: String,
        _ entries: [IndexEntry],
        _ manifest: Manifest,
        _ rows: (indexed: Int, unindexed: Int)
    ) {
        self.name = name
        let paths = manifest.schema.fieldPaths
        columns = (entries.first?.fieldIDs ?? []).map { paths[$0] ?? "(field \($0))" }
        kind = entries.last?.typeName ?? ""
        metric = (entries.last?.vector?.metric).map { DistanceMetric($0) }
        isSearchable = entries.allSatisfy { entry in
            entry.mayBeVectorIndex && entry.hasKnownVersion && entry.vector?.compression != .rabit
                && !(entry.vector != nil && entry.vector?.metric == nil)
        }
        let present = Set(manifest.fragments.map(\.id))
        segments = entries.map { entry in
            let milliseconds = entry.createdAt
            return Segment(
                uuid: entry.uuid,
                fragments: entry.fragments.map { UInt64($0) }.filter(present.contains),
                datasetVersion: entry.datasetVersion,
                createdAt: milliseconds.map {
                    Timestamp(
                        seconds: Int64(clamping: $0 / 1000),
                        nanoseconds: Int32(truncatingIfNeeded: $0 % 1000) * 1_000_000
                    )
                },
                sizeInBytes: entry.sizeInBytes,
                layoutVersion: entry.layoutVersion
            )
        }
        indexedRowCount = rows.indexed
        unindexedRowCount = rows.unindexed
    }
}
