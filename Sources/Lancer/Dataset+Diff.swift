import LancerArrow
import LancerBytes
import LancerTable

/// One difference between the columns of two versions.
public struct ColumnChange: Sendable, Hashable {
    /// What differs.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The column, or field of a struct, is only in the newer version.
        case added
        /// It is only in the older version.
        case removed
        /// It has another name.
        case renamed
        /// It has another type.
        case retyped
        /// It allows nulls in one version and forbids them in the other.
        case nullability
        /// Its metadata differ; without a path, those of the schema.
        case metadata
        /// The columns, or the fields of the struct at the path, have another order.
        case moved
    }

    /// What differs.
    public let kind: Kind
    /// Name or dotted path in the newer version; of a removed column in the older one.
    public let path: String
    /// What was there before, as text; nil for an added column.
    public let before: String?
    /// What is there now, as text; nil for a removed column.
    public let after: String?
}

/// Rows that differ between two versions.
public enum RowDifference: Sendable {
    /// Rows whose key only the newer version has.
    case added(RecordBatch)
    /// Rows whose key only the older version has.
    case removed(RecordBatch)
    /// Rows with the same key and other values, row by row in both, and for each row the names of the columns that differ.
    case changed(before: RecordBatch, after: RecordBatch, columns: [[String]])
}

/// How many rows differ between two versions.
public struct RowDifferenceCounts: Sendable, Hashable {
    /// Rows whose key only the newer version has.
    public let added: Int
    /// Rows whose key only the older version has.
    public let removed: Int
    /// Rows with the same key and other values.
    public let changed: Int
}

extension Dataset {
    /// How the columns of a newer version differ from those of this one.
    public func columnChanges(to newer: Dataset) -> [ColumnChange] {
        SchemaDiff(table.manifest.schema, newer.table.manifest.schema).changes.compactMap { change in
            ColumnChange.Kind(rawValue: change.kind.rawValue).map {
                ColumnChange(kind: $0, path: change.path, before: change.before, after: change.after)
            }
        }
    }

    /// Compares the rows of a newer version with those of this one by key, wherever in the tables they are.
    ///
    /// Files that both versions have are not read, so that the work follows what changed. Of rows in other
    /// files, those with a null in their key match no other. Columns that only one version has, or with another type, do not make rows differ.
    ///
    /// - Parameters:
    ///   - key: Columns that together tell rows apart.
    ///   - visit: Told the differences in batches as they are found.
    /// - Throws: `notFound` for a key column that is not in both versions, `invalidArgument` when its types differ or two
    ///   rows of a version have the same key, `corrupt`, `io`, and what `visit` throws.
    public func rowChanges(
        to newer: Dataset,
        key: [String],
        _ visit: (RowDifference) async throws -> Void = { _ in }
    ) async throws -> RowDifferenceCounts {
        let counts = try await table.diffRows(to: newer.table, key: key) { change in
            switch change {
            case .added(let rows): try await visit(.added(rows))
            case .removed(let rows): try await visit(.removed(rows))
            case .changed(let before, let after, let columns):
                try await visit(.changed(before: before, after: after, columns: columns))
            }
        }
        return RowDifferenceCounts(added: counts.added, removed: counts.removed, changed: counts.changed)
    }
}
