import LancerBytes
import LancerCodecs
import LancerFile
import LancerProto
import LancerStorage
import SwiftProtobuf

/// The index segments a version lists. Lancer keeps what it does not know of them.
/// Spec: 11-commits.md, "Index entries and commits".
struct IndexEntries {
    var message: Lance_Table_IndexSection

    /// - Throws: `corrupt`.
    init(_ section: ArrowBuffer?) throws(LanceError) {
        message = try section?.decoded(as: Lance_Table_IndexSection.self, "index section") ?? .init()
    }

    /// Directory of the index directories.
    static let directory = "_indices"

    /// `_indices/<uuid>` of each segment whose base path passes.
    ///
    /// - Throws: `corrupt` for a uuid that is none.
    func directories(where isWanted: (UInt32?) -> Bool) throws(LanceError) -> [String] {
        var result: [String] = []
        for entry in message.indices where isWanted(entry.hasBaseID ? entry.baseID : nil) {
            let bytes = Array(entry.uuid.uuid)
            guard let name = RandomName.uuid(bytes) else {
                throw .corrupt("index \"\(entry.name)\" has a uuid of \(bytes.count) bytes")
            }
            result.append("\(Self.directory)/\(name)")
        }
        return result
    }

    /// The bytes for a manifest; nil without a segment.
    ///
    /// - Throws: `limitExceeded`.
    func section() throws(LanceError) -> ArrowBuffer? {
        if message.indices.isEmpty, message.unknownFields.data.isEmpty { return nil }
        return try ArrowBuffer(encoding: message, "index section")
    }

    /// Takes out the segments on fields that are gone.
    mutating func removeOrphans(of schema: LanceSchema) {
        let known = Set(schema.fields.flatMap(\.subtree).map(\.id))
        message.indices.removeAll { !$0.fields.allSatisfy(known.contains) }
    }

    /// Adds and removes segments.
    ///
    /// - Throws: `conflict` when a segment to remove is not there, or a field of one to add is not.
    mutating func change(
        adding added: [Lance_Table_IndexMetadata],
        removing removed: [Lance_Table_IndexMetadata],
        prepared: LanceSchema,
        current: LanceSchema
    ) throws(LanceError) {
        let (before, now) = (prepared.fieldsByID, current.fieldsByID)
        for entry in added {
            for id in entry.fields where now[id] == nil || now[id]?.logicalType != before[id]?.logicalType {
                let name = before[id]?.name ?? "\(id)"
                throw .conflict(
                    "column \"\(name)\" of index \"\(entry.name)\" was dropped or changed by another writer",
                    retry: false
                )
            }
        }
        for entry in removed {
            guard let index = message.indices.firstIndex(where: { $0.uuid == entry.uuid }) else {
                throw .conflict("index \"\(entry.name)\" was replaced or removed by another writer", retry: true)
            }
            message.indices.remove(at: index)
        }
        message.indices += added
    }

    /// Puts segments made anew in the places of the old ones. Where such a segment covered all fragments that were merged,
    /// it covers what became of them.
    ///
    /// - Parameter keepsIDs: Whether the rows keep their ids: then segments that hold these cover the new fragments, too,
    ///   without being made anew.
    /// - Throws: `conflict` when an old segment is not there any more, `corrupt` for a damaged list of fragments.
    mutating func rewrite(
        _ indices: [RewrittenIndex],
        _ groups: [RewriteGroup],
        keepsIDs: Bool = false
    ) throws(LanceError) {
        var moved: Set<Int> = []
        if keepsIDs {
            for (position, entry) in message.indices.enumerated() where try IndexEntry(entry).holdsStableRowIDs {
                moved.insert(position)
            }
        }
        for index in indices {
            guard let position = message.indices.firstIndex(where: { $0.uuid == index.oldID }) else {
                throw .conflict("an index was replaced or removed by another writer", retry: true)
            }
            var entry = message.indices[position]
            entry.uuid = index.newID
            if index.hasNewIndexDetails { entry.indexDetails = index.newIndexDetails }
            entry.indexVersion = Int32(truncatingIfNeeded: index.newIndexVersion)
            entry.files = index.files
            // The files made anew are below the table's own root.
            entry.clearBaseID()
            message.indices[position] = entry
            moved.insert(position)
        }
        for position in moved where !message.indices[position].fragmentBitmap.isEmpty {
            var covered = Set(try message.indices[position].coveredFragments().map { UInt64($0) })
            for group in groups where group.old.allSatisfy({ covered.contains($0.id) }) {
                covered.subtract(group.old.map(\.id))
                covered.formUnion(group.new.map(\.id))
            }
            let ids = covered.sorted().map { UInt32(truncatingIfNeeded: $0) }
            message.indices[position].fragmentBitmap = RoaringBitmap(sortedValues: ids).serialized().data
        }
    }

    /// For each fragment the segments that cover it, by their positions.
    ///
    /// - Throws: `corrupt`.
    func coverage() throws(LanceError) -> [UInt64: [Int]] {
        var result: [UInt64: [Int]] = [:]
        for (position, entry) in message.indices.enumerated() where !entry.fragmentBitmap.isEmpty {
            for id in try entry.coveredFragments() { result[UInt64(id), default: []].append(position) }
        }
        return result
    }
}

extension Lance_Table_IndexMetadata {
    /// Ids of the fragments whose rows are in the segment, ascending.
    ///
    /// - Throws: `corrupt`.
    func coveredFragments() throws(LanceError) -> [UInt32] {
        try RoaringBitmap(serialized: ArrowBuffer(Array(fragmentBitmap))).values
    }

    /// Whether rows of a fragment are in the segment. One without a list of fragments, or with one that cannot be read,
    /// may cover any.
    func covers(_ fragment: UInt64) -> Bool {
        guard let id = UInt32(exactly: fragment) else { return false }
        guard let bitmap = try? RoaringBitmap(serialized: ArrowBuffer(Array(fragmentBitmap))) else { return true }
        return bitmap.contains(id)
    }
}

extension LanceSchema {
    /// All fields, nested ones too, by id.
    var fieldsByID: [Int32: LanceField] {
        Dictionary(fields.flatMap(\.subtree).map { ($0.id, $0) }) { first, _ in first }
    }
}
