import LancerBytes
import LancerFile
import LancerProto

extension Table {
    /// Live rows in fragments that some of the segments cover, and in the others.
    ///
    /// - Throws: `corrupt`, `io`.
    package func coveredRowCounts(of entries: [IndexEntry]) async throws -> (indexed: Int, unindexed: Int) {
        let covered = Set(entries.flatMap(\.fragments).map { UInt64($0) })
        var result = (indexed: 0, unindexed: 0)
        for fragment in manifest.fragments {
            let rows = try await files.liveRowCount(of: fragment, manifest)
            if covered.contains(fragment.id) { result.indexed += rows } else { result.unindexed += rows }
        }
        return result
    }

    /// Removes all segments of an index.
    ///
    /// - Throws: `notFound`, `conflict`, `corrupt`, `io`.
    package func dropIndex(_ name: String, commitMessage: String?) async throws -> Table {
        try await retrying { table in
            let entries = try table.manifest.indexEntries().filter { $0.name == name }
            guard !entries.isEmpty else { throw try table.noIndex(named: name) }
            return try await table.committing(
                .createIndex(added: [], removed: entries.map(\.message)),
                commitMessage
            )
        }
    }

    /// The error for an index that is not there.
    func noIndex(named name: String) throws(LanceError) -> LanceError {
        var names: [String] = []
        for entry in try manifest.indexEntries() where !names.contains(entry.name) { names.append(entry.name) }
        let known = names.isEmpty ? "the table has none" : "the indices are: \(names.joined(separator: ", "))"
        return LanceError(.notFound, "there is no index \"\(name)\"; \(known)")
    }
}

extension LanceSchema {
    /// Dotted name of every field, by id.
    package var fieldPaths: [Int32: String] {
        var result: [Int32: String] = [:]
        func visit(_ field: LanceField, _ prefix: String) {
            let path = prefix.isEmpty ? field.name : "\(prefix).\(field.name)"
            result[field.id] = path
            for child in field.children { visit(child, path) }
        }
        for field in fields { visit(field, "") }
        return result
    }
}
