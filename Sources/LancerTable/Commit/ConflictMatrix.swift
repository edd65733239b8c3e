/// What a pair of changes means for the one that comes second: the reference's behaviour as found by experiment, and
/// stricter where the reference would lose something.
///
/// Spec: 11-commits.md, "Conflicts".
package enum ConflictMatrix {
    /// How one cell of the matrix is decided.
    package enum Rule: Sendable, Hashable {
        /// Both effects are kept.
        case fine
        /// The second must be prepared again.
        case retry
        /// The second makes no sense any more.
        case never
        /// Prepared again if both touch a fragment.
        case fragments
        /// Deletion vectors are merged; prepared again when a row is in both or its fragment is gone. Decided on the
        /// manifests, not on what the transaction says.
        case rows
        /// Fine if the first left every field's nullability as it was or wider, else prepared again.
        case nullability
        /// As ``rows``; prepared again, too, when both may have added rows with the same key.
        case keys
        /// Prepared again if an index covers a rewritten fragment.
        case coverage
        /// Prepared again if both are about the same index or field.
        case index
        /// ``UpdateConfig`` after something that replaces the schema: never if it touches schema or field metadata.
        case replacedSchema
        /// ``UpdateConfig`` on one side, a change of the schema on the other: prepared again if metadata is touched.
        case metadata
        /// Never if the first touched schema or field metadata.
        case noMetadata
        /// ``UpdateConfig`` twice: never if both touch a key.
        case sameKey
        /// A change that forbids nulls must look at the new rows; others do not mind.
        case tightening
    }

    private static let columns: [ChangeKind] = [
        .append, .delete, .update, .overwrite, .rewrite, .merge, .project, .dataReplacement, .createIndex, .restore,
        .reserveFragments, .updateConfig, .updateBases,
    ]

    /// One row for each kind that Lancer commits, in the order of ``columns``.
    private static let rows: [ChangeKind: [Rule]] = [
        .append: [
            .fine, .fine, .fine, .never, .fine, .nullability, .nullability, .fine, .fine, .never, .fine, .fine, .fine,
        ],
        .delete: [
            .fine, .rows, .rows, .never, .fragments, .retry, .fine, .fragments, .fine, .never, .fine, .fine, .fine,
        ],
        .update: [
            .keys, .rows, .keys, .never, .fragments, .retry, .nullability, .fragments, .fine, .never, .fine, .fine,
            .fine,
        ],
        .overwrite: [
            .fine, .fine, .fine, .retry, .fine, .fine, .fine, .fine, .fine, .fine, .fine, .fine, .fine,
        ],
        .rewrite: [
            .fine, .fragments, .fragments, .never, .fragments, .retry, .fine, .fragments, .coverage, .never, .fine,
            .fine, .fine,
        ],
        .merge: [
            .retry, .retry, .retry, .never, .retry, .retry, .never, .retry, .fine, .never, .fine, .metadata, .fine,
        ],
        .project: [
            .tightening, .fine, .tightening, .never, .fine, .retry, .retry, .tightening, .fine, .never, .fine, .fine,
            .fine,
        ],
        .createIndex: [
            .fine, .fine, .index, .never, .coverage, .fine, .fine, .index, .index, .never, .fine, .fine, .fine,
        ],
        .restore: [
            .fine, .fine, .fine, .fine, .fine, .fine, .fine, .fine, .fine, .fine, .fine, .noMetadata, .fine,
        ],
        .reserveFragments: [
            .fine, .fine, .fine, .never, .fine, .fine, .fine, .fine, .fine, .never, .fine, .fine, .fine,
        ],
        .updateConfig: [
            .fine, .fine, .fine, .replacedSchema, .fine, .metadata, .fine, .fine, .fine, .replacedSchema, .fine,
            .sameKey, .fine,
        ],
    ]

    /// The rule for committing `ours` after `theirs`; nil for a kind that Lancer does not commit.
    package static func rule(_ ours: ChangeKind, after theirs: ChangeKind) -> Rule? {
        guard let row = rows[ours], let column = columns.firstIndex(of: theirs), column < row.count else { return nil }
        return row[column]
    }
}
