import LancerProto

/// What a transaction does, as far as other writers must care.
package enum ChangeKind: String, Sendable, Hashable, CaseIterable {
    case append = "Append"
    case delete = "Delete"
    case update = "Update"
    case overwrite = "Overwrite"
    case rewrite = "Rewrite"
    case merge = "Merge"
    case project = "Project"
    case dataReplacement = "DataReplacement"
    case createIndex = "CreateIndex"
    case restore = "Restore"
    case reserveFragments = "ReserveFragments"
    case updateConfig = "UpdateConfig"
    case updateBases = "UpdateBases"

    /// The kind of a transaction; nil for one whose effects Lancer does not know.
    package init?(_ operation: Lance_Table_Transaction.OneOf_Operation?) {
        switch operation {
        case .append: self = .append
        case .delete: self = .delete
        case .update: self = .update
        case .overwrite: self = .overwrite
        case .rewrite: self = .rewrite
        case .merge: self = .merge
        case .project: self = .project
        case .dataReplacement: self = .dataReplacement
        case .createIndex: self = .createIndex
        case .restore: self = .restore
        case .reserveFragments: self = .reserveFragments
        case .updateConfig: self = .updateConfig
        case .updateBases: self = .updateBases
        case .updateMemWalState, .clone, .dataOverlay, nil: return nil
        }
    }
}

extension Lance_Table_Transaction {
    /// Ids of the fragments whose rows or files it replaced.
    var touchedFragments: Set<UInt64> {
        switch operation {
        case .delete(let delete): Set(delete.updatedFragments.map(\.id) + delete.deletedFragmentIds)
        case .update(let update): Set(update.updatedFragments.map(\.id) + update.removedFragmentIds)
        case .rewrite(let rewrite): Set((rewrite.oldFragments + rewrite.groups.flatMap(\.oldFragments)).map(\.id))
        case .dataReplacement(let replacement): Set(replacement.replacements.map(\.fragmentID))
        default: []
        }
    }
}
