import LancerBytes
import LancerKernels
import LancerProto
import LancerStorage
import SwiftProtobuf

/// A segment of an index, as a version lists it.
///
/// Several segments may share one name: each has the rows of other fragments.
/// Spec: 13-vector-index.md, "Index entries".
package struct IndexEntry: Sendable {
    /// What the manifest says.
    package let message: Lance_Table_IndexMetadata
    /// Ids of the fragments whose rows are in it, ascending.
    package let fragments: [UInt32]
    /// Its uuid in the usual spelling.
    package let uuid: String
    /// What it says of a vector index; nil for other kinds, and when it says nothing.
    package let vector: VectorIndexDetails?

    /// - Throws: `corrupt` for a message that cannot be.
    init(_ message: Lance_Table_IndexMetadata) throws(LanceError) {
        self.message = message
        guard message.directory != nil else {
            throw .corrupt("index \"\(message.name)\" has a uuid of \(message.uuid.uuid.count) bytes")
        }
        uuid = RandomName.uuid(Array(message.uuid.uuid)) ?? ""
        fragments = message.fragmentBitmap.isEmpty ? [] : try message.coveredFragments()
        vector = try VectorIndexDetails(message.hasIndexDetails ? message.indexDetails : nil)
    }

    package var name: String { message.name }
    /// Ids of the fields it is on.
    package var fieldIDs: [Int32] { message.fields }
    /// The version it was made from.
    package var datasetVersion: UInt64 { message.datasetVersion }
    /// When it was made, in milliseconds since 1970; nil when nobody noted it.
    package var createdAt: UInt64? { message.hasCreatedAt ? message.createdAt : nil }
    /// Version of its layout.
    package var layoutVersion: Int { Int(message.indexVersion) }
    /// Directory below the root it belongs to.
    package var directory: String { "\(IndexEntries.directory)/\(uuid)" }

    /// Bytes of its files; nil when the manifest does not say.
    package var sizeInBytes: UInt64? {
        message.files.isEmpty
            ? nil : message.files.reduce(UInt64(0)) { $0.addingReportingOverflow($1.sizeBytes).partialValue }
    }

    /// Name of the details' message without its package, in lower case; empty when there is none.
    private var detailsName: String {
        guard message.hasIndexDetails, let last = message.indexDetails.typeURL.split(separator: ".").last else {
            return ""
        }
        return last.lowercased()
    }

    /// The kind as the reference spells it.
    package var typeName: String {
        if let vector { return vector.typeName }
        return switch detailsName {
        case "vectorindexdetails", "": name == Self.fragmentReuseName ? "FragmentReuse" : "VECTOR"
        case "btreeindexdetails": "BTREE"
        case "bitmapindexdetails": "BITMAP"
        case "labellistindexdetails": "LABEL_LIST"
        case "invertedindexdetails": "INVERTED"
        case "ngramindexdetails": "NGRAM"
        case "zonemapindexdetails": "ZONEMAP"
        case "bloomfilterindexdetails": "BLOOMFILTER"
        case "fragmentreuseindexdetails": "FragmentReuse"
        default: message.indexDetails.typeURL.split(separator: ".").last.map(String.init) ?? "unknown"
        }
    }

    /// Whether it may be an index of vectors: other kinds always have details that say so.
    package var mayBeVectorIndex: Bool {
        ["vectorindexdetails", ""].contains(detailsName) && !name.hasPrefix("__lance_") && message.fields.count == 1
    }

    /// Whether its files go on meaning the same rows when these move in a table with stable row ids: indices of vectors hold
    /// the ids, the other kinds addresses (found by compacting the reference's tables).
    package var holdsStableRowIDs: Bool { detailsName == "vectorindexdetails" && mayBeVectorIndex }

    /// Whether it is of a layout that Lancer may know. The reference does not show newer ones at all.
    package var hasKnownVersion: Bool { message.indexVersion <= 2 }

    /// Name of the entry that says where rows went whose fragments were merged while the indices stayed as they were.
    static let fragmentReuseName = "__lance_frag_reuse"
}

extension Manifest {
    /// The segments of all indices, in the order they are listed.
    ///
    /// - Throws: `corrupt`.
    package func indexEntries() throws(LanceError) -> [IndexEntry] {
        var result: [IndexEntry] = []
        for message in try IndexEntries(indexSection).message.indices { result.append(try IndexEntry(message)) }
        return result
    }
}
