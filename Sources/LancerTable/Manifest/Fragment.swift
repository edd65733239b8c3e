import LancerBytes
import LancerProto
import SwiftProtobuf

/// Rows that were written together, in one or more files of different columns.
///
/// Spec: 10-table.md, "Fragments".
package struct Fragment: Sendable {
    /// Unique in the table, never used again.
    package var id: UInt64 {
        didSet { message.id = id }
    }
    package let deletion: DeletionFile?
    /// Rows in the files, deleted ones counted; nil when the writer did not say.
    package let physicalRowCount: Int?
    private var stored: Stored

    /// The message, as it was read or as it was made.
    private enum Stored: Sendable {
        case bytes(ArrowBuffer)
        case message(Lance_Table_DataFragment, [DataFile])
    }

    /// The files, at least one.
    ///
    /// - Complexity: of a fragment that was read each call makes the list anew, in about a microsecond.
    package var files: [DataFile] {
        switch stored {
        case .message(_, let files): files
        // Not empty: the bytes were looked through when they were read.
        case .bytes(let bytes): (try? FragmentParser(bytes).files(0..<bytes.count)) ?? []
        }
    }

    /// The message this was read from, with the parts Lancer passes on unread.
    package var message: Lance_Table_DataFragment {
        get {
            switch stored {
            case .message(let message, _): return message
            case .bytes(let bytes):
                if let message = try? bytes.decoded(as: Lance_Table_DataFragment.self, "fragment") { return message }
                // Not met: the bytes were looked through when they were read.
                return Self.message(files, deletion, physicalRowCount, id: id)
            }
        }
        set { stored = .message(newValue, files) }
    }

    /// The message's bytes; of a fragment that was read and not changed the very ones.
    func encoded() throws(LanceError) -> ArrowBuffer {
        switch stored {
        case .bytes(let bytes): bytes
        case .message(let message, _): try ArrowBuffer(encoding: message, "fragment")
        }
    }

    /// - Throws: `corrupt`, `unsupported`.
    package init(_ message: Lance_Table_DataFragment) throws(LanceError) {
        do throws(LanceError) {
            var parts = FragmentParser.Parts()
            parts.id = message.id
            var files: [DataFile] = []
            files.reserveCapacity(message.files.count)
            for file in message.files { files.append(try DataFile(file)) }
            parts.fileCount = files.count
            parts.deletion = message.hasDeletionFile ? try DeletionFile(message.deletionFile) : nil
            parts.physicalRows = message.physicalRows
            try self.init(parts, .message(message, files))
        } catch {
            throw error.located(part: "fragment \(message.id)")
        }
    }

    /// Reads the message at `range` of a manifest's bytes.
    ///
    /// - Throws: `corrupt`, `unsupported`.
    init(_ bytes: ArrowBuffer, at range: Range<Int>, _ parser: inout FragmentParser) throws(LanceError) {
        let own = bytes.slice(range)
        guard let parts = try parser.parse(range) else {
            self = try Fragment(try own.decoded(as: Lance_Table_DataFragment.self, "fragment"))
            return
        }
        do throws(LanceError) {
            try self.init(parts, .bytes(own))
        } catch {
            throw error.located(part: "fragment \(parts.id)")
        }
    }

    private init(_ parts: FragmentParser.Parts, _ stored: Stored) throws(LanceError) {
        // Row addresses have 32 bits for the fragment and 32 for the row.
        guard parts.id <= UInt32.max else { throw LanceError.corrupt("the fragment id is out of range") }
        guard parts.fileCount > 0 else { throw LanceError.corrupt("the fragment has no files") }
        let rows = try Int(checked: parts.physicalRows, "the number of rows")
        guard rows <= Int(UInt32.max) else { throw LanceError.corrupt("\(rows) rows are too many for a fragment") }
        if let deleted = parts.deletion?.deletedRowCount, rows > 0, deleted > rows {
            throw LanceError.corrupt("\(deleted) rows of \(rows) are deleted")
        }
        id = parts.id
        deletion = parts.deletion
        physicalRowCount = rows > 0 ? rows : nil
        self.stored = stored
    }

    /// A fragment just written; its id is given at commit.
    package init(files: [DataFile], rowCount: Int) {
        id = 0
        deletion = nil
        physicalRowCount = rowCount
        stored = .message(Self.message(files, nil, rowCount, id: 0), files)
    }

    private static func message(
        _ files: [DataFile],
        _ deletion: DeletionFile?,
        _ rowCount: Int?,
        id: UInt64
    ) -> Lance_Table_DataFragment {
        .with {
            $0.id = id
            $0.files = files.map(\.message)
            $0.physicalRows = UInt64(rowCount ?? 0)
            if let deletion { $0.deletionFile = deletion.message }
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
        let known = Dictionary(zip(self.files, message.files)) { first, _ in first }
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
