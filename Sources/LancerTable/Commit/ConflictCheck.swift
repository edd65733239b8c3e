import LancerBytes
import LancerCodecs
import LancerFile
import LancerProto

/// Whether a commit prepared on an older version still makes sense after what others committed meanwhile.
///
/// ``ConflictMatrix`` has the rules; here they are applied to a pair of transactions. What depends on the table rather
/// than on the transaction (deleted rows, fields, indices) is checked when the operation is applied to the newest
/// version. Spec: 11-commits.md, "Conflicts".
package enum ConflictCheck {
    /// Checks against the transaction that made `version`.
    ///
    /// - Parameter theirs: The transaction, nil when that version carries none.
    /// - Throws: `conflict`, which says whether preparing again may help.
    package static func check(
        _ ours: Operation,
        against theirs: Transaction?,
        of version: UInt64
    ) throws(LanceError) {
        guard let theirs else {
            throw conflict(ours, "a change that it does not describe", version, retry: false)
        }
        guard let kind = ChangeKind(theirs.message.operation) else {
            let name = theirs.operationName ?? "a change that Lancer does not know"
            throw conflict(ours, name, version, retry: false)
        }
        guard let rule = ConflictMatrix.rule(ours.kind, after: kind) else {
            throw conflict(ours, kind.rawValue, version, retry: false)
        }
        switch verdict(rule, ours, theirs.message) {
        case .fine: return
        case .retry: throw conflict(ours, kind.rawValue, version, retry: true)
        case .never: throw conflict(ours, kind.rawValue, version, retry: false)
        }
    }

    private enum Verdict {
        case fine, retry, never
    }

    private static func verdict(
        _ rule: ConflictMatrix.Rule,
        _ ours: Operation,
        _ theirs: Lance_Table_Transaction
    ) -> Verdict {
        switch rule {
        case .fine, .rows: .fine
        case .retry: .retry
        case .never: .never
        case .fragments: ours.touchedFragments.isDisjoint(with: theirs.touchedFragments) ? rowsVerdict(theirs) : .retry
        case .nullability: theirs.preservesNullability ? .fine : .retry
        case .keys: ours.insertsNewKeys && theirs.addsRows ? .retry : .fine
        case .coverage: coverage(ours, theirs) ? .retry : .fine
        case .index: isSameIndex(ours, theirs) ? .retry : .fine
        case .replacedSchema: ours.configChange?.touchesSchema == true ? .never : .fine
        case .metadata: ours.touchesSchemaMetadata || theirs.touchesSchemaMetadata ? .retry : .fine
        case .noMetadata: theirs.touchesSchemaMetadata ? .never : .fine
        case .sameKey:
            if case .updateConfig(let change) = theirs.operation { sameKey(ours.configChange, change) } else { .fine }
        case .tightening: ours.forbidsNulls ? .retry : .fine
        }
    }

    /// A rewrite that does not say what it rewrote cannot be told from one that overlaps.
    private static func rowsVerdict(_ theirs: Lance_Table_Transaction) -> Verdict {
        if case .rewrite(let rewrite) = theirs.operation, rewrite.groups.isEmpty, !rewrite.newFragments.isEmpty,
            rewrite.oldFragments.isEmpty
        {
            return .retry
        }
        return .fine
    }

    private static func sameKey(_ ours: ConfigChange?, _ theirs: Lance_Table_Transaction.UpdateConfig) -> Verdict {
        guard let ours else { return .fine }
        let theirs = ConfigChange(theirs)
        let clash =
            ours.config.collides(with: theirs.config) || ours.tableMetadata.collides(with: theirs.tableMetadata)
            || (ours.schemaMetadata.isAny && theirs.schemaMetadata.isAny)
            || !Set(ours.fieldMetadata.keys).isDisjoint(with: theirs.fieldMetadata.keys)
        return clash ? .never : .fine
    }

    private static func coverage(_ ours: Operation, _ theirs: Lance_Table_Transaction) -> Bool {
        switch (ours, theirs.operation) {
        case (.rewrite, .createIndex(let create)):
            ours.touchedFragments.contains { id in create.newIndices.contains { $0.covers(id) } }
        case (.createIndex(let added, _), .rewrite):
            theirs.touchedFragments.contains { id in added.contains { $0.covers(id) } }
        default: false
        }
    }

    private static func isSameIndex(_ ours: Operation, _ theirs: Lance_Table_Transaction) -> Bool {
        guard case .createIndex(let added, let removed) = ours else { return false }
        let fields = Set(added.flatMap(\.fields))
        switch theirs.operation {
        case .createIndex(let create):
            let names = Set(create.newIndices.map(\.name))
            let gone = Set(create.removedIndices.map(\.uuid.uuid))
            return added.contains { names.contains($0.name) } || removed.contains { gone.contains($0.uuid.uuid) }
        case .update(let update):
            return update.updateMode == .rewriteColumns
                && update.fieldsModified.contains { fields.contains(Int32(truncatingIfNeeded: $0)) }
        case .dataReplacement(let replacement):
            return replacement.replacements.contains { !fields.isDisjoint(with: $0.newFile.fields) }
        default: return false
        }
    }

    private static func conflict(
        _ ours: Operation,
        _ theirs: String,
        _ version: UInt64,
        retry: Bool
    ) -> LanceError {
        .conflict(
            "this \(ours.kind.rawValue) was prepared before another writer committed version \(version) (\(theirs))"
                + (retry ? "" : "; it cannot be combined with that"),
            retry: retry
        )
    }

    /// Checks that rows written under `prepared` mean the same under `current`: every field that has a column is still
    /// there with the same type. Without this, rows appended after a cast would read as null, and rows appended after a
    /// dropped column's id was used again would show up under another name; for the latter it must be asked for every
    /// version in between.
    ///
    /// - Throws: `conflict`.
    package static func checkFields(
        of fragments: [Fragment],
        prepared: LanceSchema,
        current: LanceSchema
    ) throws(LanceError) {
        guard prepared.fields != current.fields else { return }
        let now = current.fieldsByID
        let before = prepared.fieldsByID
        for id in Set(fragments.flatMap { $0.files.flatMap(\.fieldIDs) }) where id >= 0 {
            guard let old = before[id] else { continue }
            guard let new = now[id], new.logicalType == old.logicalType else {
                throw .conflict("column \"\(old.name)\" was dropped or changed by another writer", retry: true)
            }
        }
        let written = Set(prepared.fields.flatMap(\.subtree).map(\.id))
        for field in current.fields where !written.contains(field.id) && !field.nullable {
            throw .conflict(
                "column \"\(field.name)\", which must not be null, was added by another writer",
                retry: true
            )
        }
    }
}

extension Operation {
    fileprivate var insertsNewKeys: Bool {
        if case .update(let update) = self { update.insertsNewKeys } else { false }
    }

    fileprivate var configChange: ConfigChange? {
        if case .updateConfig(let change) = self { change } else { nil }
    }

    fileprivate var touchesSchemaMetadata: Bool { configChange?.touchesSchema ?? false }

    /// Whether a column that allowed nulls no longer does.
    fileprivate var forbidsNulls: Bool {
        if case .project(let edits) = self { !edits.preservesNullability } else { false }
    }
}

extension Lance_Table_Transaction {
    fileprivate var preservesNullability: Bool {
        switch operation {
        case .merge(let merge): merge.preservesNullability
        case .project(let project): project.preservesNullability
        default: true
        }
    }

    fileprivate var addsRows: Bool {
        switch operation {
        case .append: true
        case .update(let update): !update.newFragments.isEmpty
        default: false
        }
    }

    fileprivate var touchesSchemaMetadata: Bool {
        if case .updateConfig(let change) = operation { ConfigChange(change).touchesSchema } else { false }
    }
}
