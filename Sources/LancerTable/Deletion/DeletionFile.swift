import LancerBytes
import LancerProto
import SwiftProtobuf

/// Which rows of a fragment are deleted, as the manifest says: a file and how many rows it names.
///
/// Spec: 10-table.md, "Deletion files".
package struct DeletionFile: Sendable, Hashable {
    /// How the offsets are stored.
    package enum Kind: Sendable, Hashable {
        /// An Arrow IPC file with one uint32 column, in any order.
        case arrow
        /// A Roaring bitmap.
        case bitmap
    }

    package var kind: Kind
    package var readVersion: UInt64
    package var id: UInt64
    /// Number of deleted rows, nil when the writer did not say.
    package var deletedRowCount: Int?
    package var baseID: UInt32?

    /// - Throws: `corrupt`, or `unsupported` for a kind that is not known.
    init(_ message: Lance_Table_DeletionFile) throws(LanceError) {
        switch message.fileType {
        case .arrowArray: kind = .arrow
        case .bitmap: kind = .bitmap
        case .UNRECOGNIZED(let number): throw .unsupported("deletion files of kind \(number)")
        }
        readVersion = message.readVersion
        id = message.id
        let count = try Int(checked: message.numDeletedRows, "the number of deleted rows")
        deletedRowCount = count > 0 ? count : nil
        baseID = message.hasBaseID ? message.baseID : nil
    }

    /// A file about to be written for a vector made on top of version `readVersion`.
    init(for vector: DeletionVector, readVersion: UInt64, id: UInt64) {
        kind = vector.kind
        self.readVersion = readVersion
        self.id = id
        deletedRowCount = vector.count
    }

    var message: Lance_Table_DeletionFile {
        .with {
            $0.fileType = kind == .arrow ? .arrowArray : .bitmap
            $0.readVersion = readVersion
            $0.id = id
            $0.numDeletedRows = UInt64(deletedRowCount ?? 0)
            if let baseID { $0.baseID = baseID }
        }
    }

    /// Directory of the deletion files.
    package static let directory = "_deletions"

    /// Name in ``directory``.
    package func fileName(fragment: UInt64) -> String {
        "\(fragment)-\(readVersion)-\(id).\(kind == .arrow ? "arrow" : "bin")"
    }
}
