import LancerBytes
import LancerProto
import SwiftProtobuf

/// Rows that were written together, in one or more files of different columns.
///
/// Spec: Fragments and files.
package struct Fragment: Sendable {
    /// Unique in the table, never used again.
    package var id: UInt64 {
        didSet { message.id = id }
    }
    package let files: [DataFile]
    package let deletion: DeletionFile?
    /// Rows in the files, deleted ones counted; nil when the writer did not say.
    package let physicalRowCount: Int?
    /// The message this was read from, with the parts Lancer passes on unread.
    package var message: Lance_Table_DataFragment

    /// - Throws: `corrupt`, `unsupported`.
    package init(_ message: Lance_Table_DataFragment) throws(LanceError) {
        do throws(LanceError) {
            // Row addresses have 32 bits for the fragment and 32 for the row.
            guard message.id <= UInt32.max else { throw LanceError.corrupt("the fragment id is out of range") }
            guard !message.files.isEmpty else { throw LanceError.corrupt("the fragment has no files") }
            var files: [DataFile] = []
            files.reserveCapacity(message.files.count)
            for file in message.files { files.append(try DataFile(file)) }
            let rows = try Int(checked: message.physicalRows, "the number of rows")
            guard rows <= Int(UInt32.max) else { throw LanceError.corrupt("\(rows) rows are too many for a fragment") }
            let deletion = message.hasDeletionFile ? try DeletionFile(message.deletionFile) : nil
            if let deleted = deletion?.deletedRowCount, rows > 0, deleted > rows {
                throw LanceError.corrupt("\(deleted) rows of \(rows) are deleted")
            }
            self.id = message.id
            self.files = files
            self.deletion = deletion
            self.physicalRowCount = rows > 0 ? rows : nil
            self.message = message
        } catch {
            throw error.located(part: "fragment \(message.id)")
        }
    }

    /// A fragment just written; its id is given at commit.
    package init(files: [DataFile], rowCount: Int) {
        id = 0
        self.files = files
        deletion = nil
        physicalRowCount = rowCount
        message = .with {
            $0.files = files.map(\.message)
            $0.physicalRows = UInt64(rowCount)
        }
    }

    /// The same rows with other ones deleted. Everything else, known or not, stays.
    ///
    /// - Throws: `corrupt` when the file says that more rows are deleted than there are.
    package func deleting(_ file: DeletionFile) throws(LanceError) -> Fragment {
        var message = self.message
        message.deletionFile = file.message
        return try Fragment(message)
    }

    /// The same rows in other files. Everything else, known or not, stays.
    ///
    /// - Throws: `corrupt` when there is no file.
    package func replacingFiles(_ files: [DataFile]) throws(LanceError) -> Fragment {
        var message = self.message
        // Messages of files that stay are kept as they are, with what Lancer does not know in them.
        let known = Dictionary(zip(self.files, self.message.files)) { first, _ in first }
        message.files = files.map { known[$0] ?? $0.message }
        return try Fragment(message)
    }

    /// Rows that are not deleted; nil when the manifest does not say.
    package var liveRowCount: Int? {
        guard let physicalRowCount else { return nil }
        guard let deletion else { return physicalRowCount }
        return deletion.deletedRowCount.map { physicalRowCount - $0 }
    }
}
