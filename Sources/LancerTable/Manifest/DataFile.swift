import LancerBytes
import LancerProto
import SwiftProtobuf

/// One file of a fragment: some of its columns, all of its rows.
///
/// Spec: Fragments and files.
package struct DataFile: Sendable, Hashable {
    /// Name below the `data` directory.
    package var path: String
    /// Ids of the fields with a column in the file; negative where another file took over.
    package var fieldIDs: [Int32]
    /// Column in the file of each of ``fieldIDs``.
    package var columnIndices: [Int32]
    /// File version as (major, minor); 2.0 is (2, 0) here although its files say (0, 3).
    package var majorVersion: UInt32
    package var minorVersion: UInt32
    /// Size in bytes, nil when the writer did not say.
    package var sizeInBytes: UInt64?
    /// Which base path the file is under; nil for the table's own root.
    package var baseID: UInt32?

    /// A file just written below the table's root.
    package init(
        path: String,
        fieldIDs: [Int32],
        columnIndices: [Int32],
        majorVersion: UInt32,
        minorVersion: UInt32,
        sizeInBytes: UInt64
    ) {
        self.path = path
        self.fieldIDs = fieldIDs
        self.columnIndices = columnIndices
        self.majorVersion = majorVersion
        self.minorVersion = minorVersion
        self.sizeInBytes = sizeInBytes
    }

    /// - Throws: `corrupt` when the message contradicts itself or names a file outside the table.
    init(_ message: Lance_Table_DataFile) throws(LanceError) {
        guard message.columnIndices.isEmpty || message.columnIndices.count == message.fields.count else {
            throw .corrupt(
                "data file \"\(message.path)\" has \(message.fields.count) fields, "
                    + "\(message.columnIndices.count) columns"
            )
        }
        try Self.checkName(message.path)
        path = message.path
        fieldIDs = message.fields
        columnIndices = message.columnIndices
        majorVersion = message.fileMajorVersion
        minorVersion = message.fileMinorVersion
        sizeInBytes = message.fileSizeBytes > 0 ? message.fileSizeBytes : nil
        baseID = message.hasBaseID ? message.baseID : nil
    }

    /// A name from a manifest must not lead out of its directory.
    ///
    /// - Throws: `corrupt`.
    static func checkName(_ name: String) throws(LanceError) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.isEmpty, !name.utf8.contains(0), !parts.contains(where: { $0 == ".." || $0.isEmpty }) else {
            throw .corrupt("\"\(name)\" is no name for a file of a table")
        }
    }

    /// The column of each field in this file.
    ///
    /// - Throws: `corrupt` when a field has no valid column.
    package func columnOfField() throws(LanceError) -> [Int32: Int] {
        var result: [Int32: Int] = [:]
        guard fieldIDs.count == columnIndices.count else {
            throw .corrupt("data file \"\(path)\" does not say which columns its fields are")
        }
        for (field, column) in zip(fieldIDs, columnIndices) where field >= 0 {
            // Version 2.0 gives parents the column -1.
            guard column >= 0 else { continue }
            guard result.updateValue(Int(column), forKey: field) == nil else {
                throw .corrupt("data file \"\(path)\" has field \(field) twice")
            }
        }
        return result
    }

    var message: Lance_Table_DataFile {
        .with {
            $0.path = path
            $0.fields = fieldIDs
            $0.columnIndices = columnIndices
            $0.fileMajorVersion = majorVersion
            $0.fileMinorVersion = minorVersion
            $0.fileSizeBytes = sizeInBytes ?? 0
            if let baseID { $0.baseID = baseID }
        }
    }
}
