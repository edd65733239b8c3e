import LancerBytes
import LancerFile
import LancerProto
import SwiftProtobuf

/// One version of a table: its schema and fragments, and what is needed to write the next version.
///
/// Checked once, when it is read. Spec: 10-table.md, "Manifest".
package struct Manifest: Sendable {
    package let schema: LanceSchema
    package let fragments: [Fragment]
    /// The bytes of the IndexSection message, passed on unread.
    package let indexSection: ArrowBuffer?
    /// The bytes of the Transaction message that made this version.
    package let inlineTransaction: ArrowBuffer?
    /// The message without its fragments, with the fields Lancer does not know.
    package let message: Lance_Table_Manifest
    /// Live rows before each fragment, and behind the last one all; nil when the manifest does not have the numbers.
    package let liveRowStarts: [Int]?
    /// Whether the file has a checksum, which was right then.
    package let hasChecksum: Bool
    /// Size of the manifest file in bytes.
    package let sizeInBytes: Int

    package var version: UInt64 { message.version }
    /// `2.2`: the version every data file has.
    package var fileVersion: String { message.dataFormat.version }
    /// When it was committed: seconds since 1970-01-01T00:00:00Z and nanoseconds in the second.
    package var timestamp: (seconds: Int64, nanoseconds: Int32) { (message.timestamp.seconds, message.timestamp.nanos) }
    /// Settings of the table.
    package var config: [String: String] { message.config }
    /// What was noted about the table.
    package var tableMetadata: [String: String] { message.tableMetadata }
    /// The branch it is a version of; nil for the main line.
    package var branch: String? { message.hasBranch && message.branch != "main" ? message.branch : nil }
    /// Name of the transaction file in `_transactions`; may be empty.
    package var transactionFile: String { message.transactionFile }
    package var readerFlags: FeatureFlags { FeatureFlags(rawValue: message.readerFeatureFlags) }
    package var writerFlags: FeatureFlags { FeatureFlags(rawValue: message.writerFeatureFlags) }
    package var hasStableRowIDs: Bool { readerFlags.contains(.stableRowIDs) }

    /// Reads the bytes of a manifest file.
    ///
    /// - Throws: `truncated`, `corrupt`, `unsupported` when a reader must know a feature that Lancer does not.
    package init(file bytes: ArrowBuffer) throws(LanceError) {
        let file = try ManifestFile(bytes)
        let parts = try ManifestMessage(file.message)
        let message = parts.rest
        try FeatureFlags(rawValue: message.readerFeatureFlags).requireKnown(to: "read")
        guard message.version > 0 else { throw .corrupt("the manifest has version 0") }
        if message.hasDataFormat, !message.dataFormat.fileFormat.isEmpty, message.dataFormat.fileFormat != "lance" {
            throw .unsupported("data files of the format \"\(message.dataFormat.fileFormat)\"")
        }
        schema = try LanceSchema(proto: message.fields, metadata: message.schemaMetadata)
        fragments = try Self.checked(parts)
        liveRowStarts = try Self.liveRowStarts(fragments)
        indexSection = message.hasIndexSection ? try file.section(at: message.indexSection, "index") : nil
        if message.hasTransactionSection {
            inlineTransaction = try file.section(at: message.transactionSection, "transaction")
        } else if message.hasOldTransactionSection {
            inlineTransaction = try file.section(at: message.oldTransactionSection, "transaction")
        } else {
            inlineTransaction = nil
        }
        self.message = message
        hasChecksum = file.hasChecksum
        sizeInBytes = bytes.count
    }

    private static func checked(_ parts: ManifestMessage) throws(LanceError) -> [Fragment] {
        let fragments = try parts.fragments()
        // Ids ascend but where fragments were put in the middle.
        // By index: fragments handed out one by one are copied, with a count for each of their parts.
        if fragments.indices.dropFirst().allSatisfy({ fragments[$0 - 1].id < fragments[$0].id }) { return fragments }
        var ids = Set<UInt64>(minimumCapacity: fragments.count)
        for fragment in fragments where !ids.insert(fragment.id).inserted {
            throw .corrupt("fragment id \(fragment.id) is used twice")
        }
        return fragments
    }

    private static func liveRowStarts(_ fragments: [Fragment]) throws(LanceError) -> [Int]? {
        var starts = [0]
        starts.reserveCapacity(fragments.count + 1)
        var total = 0
        for index in fragments.indices {
            guard let rows = fragments[index].liveRowCount else { return nil }
            total = try total.adding(rows, "the number of rows")
            starts.append(total)
        }
        return starts
    }

    /// Highest fragment id that was ever given out, or nil when there was none.
    package var maxFragmentID: UInt32? {
        // Very old tables do not store it.
        let stored = message.hasMaxFragmentID ? message.maxFragmentID : nil
        let used = fragments.map(\.id).max().map { UInt32(clamping: $0) }
        return switch (stored, used) {
        case (let stored?, let used?): Swift.max(stored, used)
        case (let one, let other): one ?? other
        }
    }

    /// Number of rows, deleted ones not counted; nil when the manifest does not say.
    package var liveRowCount: Int? { liveRowStarts?.last }

    /// Directory and path of another root that holds files of this table.
    ///
    /// - Throws: `corrupt` when there is no such base path.
    package func basePath(_ id: UInt32) throws(LanceError) -> Lance_Table_BasePath {
        guard let base = message.basePaths.first(where: { $0.id == id }) else {
            throw .corrupt("base path \(id) is not in the manifest")
        }
        return base
    }
}
