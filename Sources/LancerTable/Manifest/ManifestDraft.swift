import LancerBytes
import LancerFile
import LancerProto
import SwiftProtobuf

/// A manifest about to be written: starts from the version before, so that everything nobody asked to change stays.
package struct ManifestDraft {
    package var message: Lance_Table_Manifest
    package var schema: LanceSchema
    package var fragments: [Fragment]
    package var indexSection: ArrowBuffer?
    package var hasStableRowIDs: Bool

    /// What follows `previous`.
    package init(after previous: Manifest) {
        message = previous.message
        message.version = previous.version &+ 1
        schema = previous.schema
        fragments = previous.fragments
        indexSection = previous.indexSection
        hasStableRowIDs = previous.hasStableRowIDs
        if let highest = previous.maxFragmentID { message.maxFragmentID = highest }
    }

    /// Version 1 of a new table.
    package init(schema: LanceSchema, fileVersion: String) {
        message = .with { $0.version = 1 }
        self.schema = schema
        fragments = []
        hasStableRowIDs = false
        setFileVersion(fileVersion)
    }

    /// The version of every data file.
    package mutating func setFileVersion(_ version: String) {
        message.dataFormat = .with {
            $0.fileFormat = "lance"
            $0.version = version
        }
    }

    /// Adds fragments, giving them ids above all that were ever used, and stable row ids where the table has them.
    ///
    /// - Throws: `limitExceeded` when ids or row ids run out.
    package mutating func append(_ new: [Fragment]) throws(LanceError) {
        var nextID = message.hasMaxFragmentID ? UInt64(message.maxFragmentID) + 1 : 0
        for var fragment in new {
            guard nextID <= UInt32.max else { throw .limitExceeded("the table has used up its fragment ids") }
            fragment.id = nextID
            if hasStableRowIDs {
                // Rows that were moved keep their ids.
                message.nextRowID = try fragment.complete(from: message.nextRowID, version: message.version)
            }
            fragments.append(fragment)
            message.maxFragmentID = UInt32(nextID)
            nextID += 1
        }
    }

    /// Field messages with what Lancer does not know of the fields they stand for.
    private static func keeping(_ old: [Lance_File_Field], in new: [Lance_File_Field]) -> [Lance_File_Field] {
        let known = Dictionary(old.map { ($0.id, $0) }) { first, _ in first }
        return new.map { field in
            guard let before = known[field.id], before.logicalType == field.logicalType else { return field }
            var field = field
            field.unknownFields = before.unknownFields
            field.type = before.type
            field.encoding = before.encoding
            field.extensionName = before.extensionName
            return field
        }
    }

    /// The bytes of the manifest file.
    ///
    /// - Parameters:
    ///   - transaction: The serialized transaction that makes this version.
    ///   - transactionFile: Its name in `_transactions`.
    ///   - time: When it is committed: seconds since 1970, nanoseconds.
    package consuming func serialized(
        transaction: ArrowBuffer,
        transactionFile: String,
        time: (seconds: Int64, nanoseconds: Int32)
    ) throws(LanceError) -> ArrowBuffer {
        var message = self.message
        message.fields = Self.keeping(message.fields, in: schema.protoFields)
        message.schemaMetadata = schema.protoMetadata
        message.timestamp = .with {
            $0.seconds = time.seconds
            $0.nanos = time.nanoseconds
        }
        message.transactionFile = transactionFile
        message.writerVersion = .with {
            $0.library = "lancer"
            $0.version = Self.libraryVersion
        }
        var flags: FeatureFlags = []
        if fragments.contains(where: { $0.deletion != nil }) { flags.insert(.deletionFiles) }
        if hasStableRowIDs { flags.insert(.stableRowIDs) }
        if !message.basePaths.isEmpty { flags.insert(.basePaths) }
        message.readerFeatureFlags = flags.rawValue
        if !message.config.isEmpty { flags.insert(.tableConfig) }
        message.writerFeatureFlags = flags.rawValue
        message.clearOldTransactionSection()
        return try ManifestFile.serialize(indexSection: indexSection, transaction: transaction) {
            (indexOffset, transactionOffset) throws(LanceError) in
            if let indexOffset { message.indexSection = indexOffset } else { message.clearIndexSection() }
            if let transactionOffset {
                message.transactionSection = transactionOffset
            } else {
                message.clearTransactionSection()
            }
            return try ManifestMessage.encode(message, fragments)
        }
    }

    /// Version of Lancer that manifests name as their writer.
    package static let libraryVersion = "0.1.0"
}
