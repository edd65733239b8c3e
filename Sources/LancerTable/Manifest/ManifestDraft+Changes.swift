import LancerBytes
import LancerFile
import LancerProto
import SwiftProtobuf

extension ManifestDraft {
    /// The content of an older version as what follows the newest. Numbers that must never be given out twice are not
    /// wound back.
    init(restoring old: Manifest, over current: Manifest) {
        self.init(after: old)
        message.version = current.version &+ 1
        if let highest = current.maxFragmentID {
            message.maxFragmentID = Swift.max(highest, message.hasMaxFragmentID ? message.maxFragmentID : 0)
        }
        message.nextRowID = Swift.max(message.nextRowID, current.message.nextRowID)
    }

    /// New schema and rows in place of all old ones.
    mutating func overwrite(
        _ new: [Fragment],
        _ schema: LanceSchema,
        _ fileVersion: FileVersion,
        stableRowIDs: Bool
    ) throws(LanceError) -> Lance_Table_Transaction.OneOf_Operation {
        self.schema = schema
        hasStableRowIDs = hasStableRowIDs || stableRowIDs
        // Field ids begin anew and mean other fields.
        message.fields = []
        fragments = []
        // Indices belong to the rows that go away.
        indexSection = nil
        setFileVersion(fileVersion.description)
        try append(new)
        return .overwrite(
            .with {
                $0.fragments = new.map(\.message)
                $0.schema = schema.protoFields
                $0.schemaMetadata = schema.protoMetadata
            }
        )
    }

    /// Puts changed fragments in the places of the old ones and takes others out.
    mutating func replace(_ updated: [Fragment], removing removed: [UInt64]) {
        let new = Dictionary(updated.map { ($0.id, $0) }) { first, _ in first }
        let gone = Set(removed)
        fragments = fragments.compactMap { gone.contains($0.id) ? nil : new[$0.id] ?? $0 }
    }

    /// Puts rewritten fragments in the places of the old ones, as far as the order of ids, which a manifest keeps to,
    /// allows.
    ///
    /// - Throws: `conflict` when a fragment is gone or has other deleted rows than when it was read.
    mutating func rewrite(_ groups: [RewriteGroup]) throws(LanceError) {
        for group in groups {
            let ids = Set(group.old.map(\.id))
            let current = fragments.filter { ids.contains($0.id) }
            guard current.map(\.message) == group.old.map(\.message),
                let start = fragments.firstIndex(where: { ids.contains($0.id) })
            else { throw .conflict("fragments that were to be rewritten were changed by another writer", retry: true) }
            fragments.removeAll { ids.contains($0.id) }
            fragments.insert(contentsOf: group.new, at: start)
        }
        fragments.sort { $0.id < $1.id }
        for fragment in groups.flatMap(\.new) where !message.hasMaxFragmentID || fragment.id > message.maxFragmentID {
            message.maxFragmentID = UInt32(clamping: fragment.id)
        }
    }

    /// Sets fragment ids aside.
    ///
    /// - Throws: `limitExceeded` when they run out.
    mutating func reserveFragments(_ count: UInt32) throws(LanceError) {
        guard count > 0 else { return }
        let next = message.hasMaxFragmentID ? UInt64(message.maxFragmentID) + 1 : 0
        guard let highest = UInt32(exactly: next + UInt64(count) - 1) else {
            throw .limitExceeded("the table has used up its fragment ids")
        }
        message.maxFragmentID = highest
    }

    /// Adds or replaces columns.
    mutating func merge(_ merge: ColumnMerge) throws(LanceError) -> Lance_Table_Transaction.OneOf_Operation {
        schema = try schema.applying(merge.edits)
        var known = Set(merge.files.keys)
        var changed: [Fragment] = []
        for fragment in fragments {
            guard let file = merge.files[fragment.id] else {
                changed.append(fragment)
                continue
            }
            known.remove(fragment.id)
            var widened = try fragment.replacingFiles(fragment.files + [file])
            if hasStableRowIDs { try widened.markChanged(in: message.version) }
            changed.append(widened)
        }
        guard known.isEmpty else {
            throw .conflict("fragments that were to get columns were removed by another writer", retry: true)
        }
        fragments = changed
        try removeDeadFiles()
        return .merge(
            .with {
                $0.fragments = fragments.map(\.message)
                $0.schema = schema.protoFields
                $0.schemaMetadata = schema.protoMetadata
                $0.preservesNullability = merge.edits.preservesNullability
            }
        )
    }

    /// Changes the schema only.
    mutating func project(_ edits: [SchemaEdit]) throws(LanceError) -> Lance_Table_Transaction.OneOf_Operation {
        schema = try schema.applying(edits)
        try removeDeadFiles()
        return .project(
            .with {
                $0.schema = schema.protoFields
                $0.preservesNullability = edits.preservesNullability
            }
        )
    }

    /// Takes files out of fragments when no field of theirs is in the schema any more, and indices on such fields.
    ///
    /// - Throws: `schemaMismatch` when a fragment would be left without a file, which pylance cannot read.
    private mutating func removeDeadFiles() throws(LanceError) {
        let known = Set(schema.fields.flatMap(\.subtree).map(\.id))
        var changed: [Fragment] = []
        changed.reserveCapacity(fragments.count)
        for fragment in fragments {
            let alive = fragment.files.filter { $0.fieldIDs.contains(where: known.contains) }
            guard !alive.isEmpty else {
                throw .schemaMismatch(
                    "the columns left are all null in fragment \(fragment.id), so it would be without data"
                )
            }
            changed.append(alive.count == fragment.files.count ? fragment : try fragment.replacingFiles(alive))
        }
        fragments = changed
        var entries = try IndexEntries(indexSection)
        entries.removeOrphans(of: schema)
        indexSection = try entries.section()
    }

    /// Sets and removes keys of config and metadata.
    mutating func change(_ change: ConfigChange) throws(LanceError) -> Lance_Table_Transaction.OneOf_Operation {
        change.config.apply(to: &message.config)
        change.tableMetadata.apply(to: &message.tableMetadata)
        change.schemaMetadata.apply(to: &schema.metadata)
        schema = try schema.changingMetadata(change.fieldMetadata)
        return .updateConfig(change.message)
    }

    /// Notes the highest field id that was ever given out when schema and files no longer show it. An id given out again
    /// would let rows that another writer prepared for the old column show up in the new one.
    mutating func keepFieldIDs(of previous: Manifest) {
        let highest = previous.highestFieldID
        let shown = Manifest.highestFieldID(schema, fragments, message.config)
        if shown < highest { message.config[Manifest.fieldIDKey] = "\(highest)" }
    }
}

extension Manifest {
    /// Config key with the highest field id ever given out, in tables where nothing else tells.
    static let fieldIDKey = "lancer.max_field_id"

    /// The highest field id known to have been given out, or -1.
    package var highestFieldID: Int32 { Self.highestFieldID(schema, fragments, message.config) }

    static func highestFieldID(_ schema: LanceSchema, _ fragments: [Fragment], _ config: [String: String]) -> Int32 {
        var highest = Swift.max(schema.maxFieldID, config[fieldIDKey].flatMap { Int32($0) } ?? -1)
        for fragment in fragments {
            for file in fragment.files { highest = Swift.max(highest, file.fieldIDs.max() ?? -1) }
        }
        return highest
    }
}
