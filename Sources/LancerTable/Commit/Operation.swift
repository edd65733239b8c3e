import LancerBytes
import LancerFile
import LancerProto

/// A change to a table that Lancer can make, as it is meant: what it becomes in the files is worked out on the version it
/// lands on.
package enum Operation: Sendable {
    /// New rows behind the old ones.
    case append([Fragment])
    /// A new table, or new schema and rows in place of all old ones.
    /// With `stableRowIDs` a table that has none gets them; one that has them keeps them in any case.
    case overwrite([Fragment], schema: LanceSchema, fileVersion: FileVersion, stableRowIDs: Bool = false)
    /// Rows gone. `predicate` is the condition as text, for people.
    case delete(RowsGone, predicate: String)
    /// Rows gone and others in their place.
    case update(RowUpdate)
    /// The same rows in other fragments.
    case rewrite([RewriteGroup], indices: [RewrittenIndex] = [])
    /// Columns added or replaced.
    case merge(ColumnMerge)
    /// Columns dropped or renamed, nulls allowed or forbidden: no file is touched.
    case project([SchemaEdit])
    /// Keys of config and metadata set or removed.
    case updateConfig(ConfigChange)
    /// An older version made the newest one.
    case restore(version: UInt64)
    /// Fragment ids set aside.
    case reserveFragments(UInt32)
    /// Index segments added and removed.
    case createIndex(added: [Lance_Table_IndexMetadata], removed: [Lance_Table_IndexMetadata])

    /// The column of the conflict matrix it is in.
    package var kind: ChangeKind {
        switch self {
        case .append: .append
        case .overwrite: .overwrite
        case .delete: .delete
        case .update: .update
        case .rewrite: .rewrite
        case .merge: .merge
        case .project: .project
        case .updateConfig: .updateConfig
        case .restore: .restore
        case .reserveFragments: .reserveFragments
        case .createIndex: .createIndex
        }
    }

    /// Ids of the fragments whose rows or files it replaces.
    package var touchedFragments: Set<UInt64> {
        switch self {
        case .delete(let gone, _): Set(gone.keys)
        case .update(let update): Set(update.gone.keys)
        case .rewrite(let groups, _): Set(groups.flatMap(\.old).map(\.id))
        default: []
        }
    }

    /// Fragments it adds rows with.
    package var newFragments: [Fragment] {
        switch self {
        case .append(let fragments), .overwrite(let fragments, _, _, _): fragments
        case .update(let update): update.newFragments
        default: []
        }
    }
}

/// Rows to delete, by fragment id; none of them may be deleted already in the version the operation is prepared on.
package typealias RowsGone = [UInt64: DeletionVector]

/// Rows replaced by others.
package struct RowUpdate: Sendable {
    /// Rows to delete.
    package var gone: RowsGone
    /// Fragments with the new rows.
    package var newFragments: [Fragment]
    /// Ids of the fields whose values changed.
    package var changedFieldIDs: [Int32]
    /// Whether rows are added because no row with their key was there: then another writer's new rows matter.
    package var insertsNewKeys: Bool

    package init(gone: RowsGone, newFragments: [Fragment], changedFieldIDs: [Int32], insertsNewKeys: Bool) {
        self.gone = gone
        self.newFragments = newFragments
        self.changedFieldIDs = changedFieldIDs
        self.insertsNewKeys = insertsNewKeys
    }
}

/// Neighbouring fragments that become others with the same live rows.
package struct RewriteGroup: Sendable {
    package var old: [Fragment]
    /// Their ids are given out before, by ``Operation/reserveFragments(_:)``.
    package var new: [Fragment]

    package init(old: [Fragment], new: [Fragment]) {
        self.old = old
        self.new = new
    }

    /// Whether the fragment only gets another id.
    var isRenumbering: Bool { old.count == 1 && new.count == 1 && old[0].files == new[0].files }
}

/// An index segment made anew for rows that moved.
package typealias RewrittenIndex = Lance_Table_Transaction.Rewrite.RewrittenIndex

/// Columns added to a table, or replaced by ones of another type.
package struct ColumnMerge: Sendable {
    package var edits: [SchemaEdit]
    /// The file with the new columns of each fragment, by fragment id; a fragment without one reads as null.
    package var files: [UInt64: DataFile]

    package init(edits: [SchemaEdit], files: [UInt64: DataFile]) {
        self.edits = edits
        self.files = files
    }
}
