import LancerBytes
import LancerFile
import LancerProto
import SwiftProtobuf

/// What one commit did, kept beside the manifest it made so that other writers can tell whether their own commit fits.
///
/// Stored twice with the same bytes: as `_transactions/<read version>-<uuid>.txn` and inside the manifest.
/// Spec: 11-commits.md, "Transactions".
package struct Transaction: Sendable {
    package var message: Lance_Table_Transaction

    /// Directory of the transaction files.
    package static let directory = "_transactions"
    /// Property that holds the commit message.
    private static let messageProperty = "__lance_commit_message"

    /// - Throws: `corrupt`.
    package init(serialized bytes: ArrowBuffer) throws(LanceError) {
        message = try bytes.decoded(as: Lance_Table_Transaction.self, "transaction")
    }

    init(
        readVersion: UInt64,
        uuid: String,
        operation: Lance_Table_Transaction.OneOf_Operation,
        commitMessage: String?
    ) {
        message = .with {
            $0.readVersion = readVersion
            $0.uuid = uuid
            $0.operation = operation
            if let commitMessage { $0.transactionProperties[Self.messageProperty] = commitMessage }
        }
    }

    /// Name of its file in ``directory``.
    package var fileName: String { "\(message.readVersion)-\(message.uuid).txn" }

    /// Path below the table's root.
    package var path: String { "\(Self.directory)/\(fileName)" }

    /// Text the writer kept with the version.
    package var commitMessage: String? { message.transactionProperties[Self.messageProperty] }

    /// Name of the operation as the reference spells it, or nil for one that is not known.
    package var operationName: String? {
        switch message.operation {
        case .append: "Append"
        case .delete: "Delete"
        case .overwrite: "Overwrite"
        case .createIndex: "CreateIndex"
        case .rewrite: "Rewrite"
        case .merge: "Merge"
        case .restore: "Restore"
        case .reserveFragments: "ReserveFragments"
        case .update: "Update"
        case .project: "Project"
        case .updateConfig: "UpdateConfig"
        case .dataReplacement: "DataReplacement"
        case .updateMemWalState: "UpdateMemWalState"
        case .clone: "Clone"
        case .updateBases: "UpdateBases"
        case .dataOverlay: "DataOverlay"
        case nil: nil
        }
    }
}
