import LancerBytes
import LancerProto
import SwiftProtobuf

/// One file of a fragment: some of its columns, all of its rows.
///
/// Spec: 10-table.md, "Data files".
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
        path = message.path
        fieldIDs = message.fields
        columnIndices = message.columnIndices
        majorVersion = message.fileMajorVersion
        minorVersion = message.fileMinorVersion
        sizeInBytes = message.fileSizeBytes > 0 ? message.fileSizeBytes : nil
        baseID = message.hasBaseID ? message.baseID : nil
        try check()
    }

    /// - Throws: `corrupt` when the file contradicts itself or is outside the table.
    func check() throws(LanceError) {
        guard columnIndices.isEmpty || columnIndices.count == fieldIDs.count else {
            throw .corrupt("data file \"\(path)\" has \(fieldIDs.count) fields, \(columnIndices.count) columns")
        }
        try Self.checkName(path)
    }

    /// Why a name was refused: not by chance, so an older version is not opened instead.
    struct PathEscape: Error {}

    /// A name from a manifest must not lead out of its directory: no `..`, no absolute path, no URL.
    ///
    /// - Throws: `corrupt`.
    static func checkName(_ name: String) throws(LanceError) {
        var own = name
        if own.withUTF8({ isPlainName($0) }) { return }
        var isFine = !name.isEmpty
        // Of the part since the last "/": its length, and whether it has other bytes than dots.
        var length = 0
        var isDots = true
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "/"):
                isFine = isFine && length > 0 && !(isDots && length <= 2)
                length = 0
                isDots = true
            // A URL's scheme, a drive, another system's separator, the end of a C string.
            case UInt8(ascii: ":"), UInt8(ascii: "\\"), 0: isFine = false
            default:
                length += 1
                if byte != UInt8(ascii: ".") { isDots = false }
            }
        }
        guard isFine, length > 0, !(isDots && length <= 2) else {
            throw LanceError(
                .corrupt,
                "\"\(name)\" leads out of the table: paths in a manifest are below its directories",
                cause: PathEscape()
            )
        }
    }

    /// Whether a name is one part of ASCII without anything to look at twice, as all names are that writers give files.
    static func isPlainName(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        // One pass without branches: a table of 10,000 fragments has half a megabyte of names.
        var special = 0
        for byte in name {
            special |= byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") ? 1 : 0
            special |= byte == UInt8(ascii: ":") || byte == 0 || byte >= 0x80 ? 1 : 0
        }
        return special == 0 && name.count > 2
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
