import LancerBytes
import LancerFile
import LancerProto

/// Whether a commit prepared on an older version still makes sense after what others committed meanwhile.
///
/// The rules are the reference's, with one more: new rows must fit the schema they end up under. Spec: Conflicts.
package enum ConflictCheck {
    /// Checks against the transaction that made `version`.
    ///
    /// - Parameter theirs: The transaction, nil when that version carries none.
    /// - Throws: `conflict`.
    package static func check(
        _ ours: Operation,
        against theirs: Transaction?,
        of version: UInt64
    ) throws(LanceError) {
        guard let theirs else { throw conflict(ours, "a change that it does not describe", version, retry: false) }
        let name = theirs.operationName ?? "change that Lancer does not know"
        switch (ours, theirs.message.operation) {
        case (_, nil), (_, .dataOverlay), (_, .updateMemWalState):
            throw conflict(ours, name, version, retry: false)
        case (.append, .overwrite), (.append, .restore):
            throw conflict(ours, name, version, retry: false)
        case (.append, .merge(let merge)) where !merge.preservesNullability:
            throw conflict(ours, name, version, retry: true)
        case (.append, .project(let project)) where !project.preservesNullability:
            throw conflict(ours, name, version, retry: true)
        case (.append, _): return
        case (.overwrite, .overwrite): throw conflict(ours, name, version, retry: true)
        case (.overwrite, _): return
        }
    }

    private static func conflict(
        _ ours: Operation,
        _ theirs: String,
        _ version: UInt64,
        retry: Bool
    ) -> LanceError {
        let advice = retry ? "open the table again and retry" : "it cannot be combined with that"
        return LanceError(
            .conflict,
            "this \(ours.name) was prepared before another writer committed version \(version) (\(theirs)); \(advice)"
        )
    }

    /// Checks that rows written under `prepared` mean the same under `current`: every field that has a column is still
    /// there with the same type under the same name. Without this, rows appended after a cast would read as null, and
    /// rows appended after a dropped column's id was used again would show up under another name.
    ///
    /// - Throws: `conflict`.
    package static func checkFields(
        of fragments: [Fragment],
        prepared: LanceSchema,
        current: LanceSchema
    ) throws(LanceError) {
        guard prepared.fields != current.fields else { return }
        let now = byID(current)
        let before = byID(prepared)
        for id in Set(fragments.flatMap { $0.files.flatMap(\.fieldIDs) }) where id >= 0 {
            guard let old = before[id] else { continue }
            guard let new = now[id], new.logicalType == old.logicalType else {
                throw LanceError(
                    .conflict,
                    "column \"\(old.name)\" was dropped or changed by another writer; open the table again and retry"
                )
            }
        }
        let writtenNames = Set(prepared.fields.map(\.name))
        for field in current.fields where !writtenNames.contains(field.name) && !field.nullable {
            throw LanceError(
                .conflict,
                "column \"\(field.name)\", which must not be null, was added by another writer; open the table again"
            )
        }
    }

    private static func byID(_ schema: LanceSchema) -> [Int32: LanceField] {
        Dictionary(schema.fields.flatMap(\.subtree).map { ($0.id, $0) }) { first, _ in first }
    }
}
