import LancerBytes
import LancerFile
import LancerStorage

/// Rows that go and others that come in one commit: what update and merge end with.
struct RowReplacement {
    /// Ids of the fields whose values change, as the transaction names them.
    var changedFieldIDs: [Int32]
    /// Whether rows are added because no row with their key was there.
    var insertsNewKeys = false
    var limits: FragmentLimits
    var commitMessage: String?
}

extension Table {
    /// Writes new rows into data files of their own and commits them together with the rows that go. Whatever goes wrong,
    /// files that no version names are removed. When no row goes or comes, no version is made.
    ///
    /// - Parameters:
    ///   - rows: Writes the rows, columns of the table in the table's order, and returns those to delete.
    ///   - moved: Puts on the new fragments what must be known about rows that only moved, such as their ids.
    /// - Throws: `conflict`, `schemaMismatch`, `unsupported`, `io`, and what `rows` throws.
    func replacing(
        _ change: RowReplacement,
        moved: ([Fragment]) throws -> [Fragment] = { $0 },
        writing rows: (inout FragmentWriter) async throws -> RowsGone
    ) async throws -> Table {
        try manifest.writerFlags.requireKnown(to: "write")
        let version = try writableFileVersion()
        var writer = FragmentWriter(store: store, schema: manifest.schema, version: version, limits: change.limits)
        let fragments: [Fragment]
        let gone: RowsGone
        do {
            gone = try await rows(&writer)
            try writer.finishFile()
            fragments = try moved(writer.fragments)
        } catch {
            writer.cancel()
            await store.discard(writer.paths)
            throw error
        }
        if gone.isEmpty, fragments.isEmpty { return self }
        let update = RowUpdate(
            gone: gone,
            newFragments: fragments,
            changedFieldIDs: change.changedFieldIDs,
            insertsNewKeys: change.insertsNewKeys
        )
        do throws(CommitLoop.Failure) {
            let loop = CommitLoop(store: store, commitMessage: change.commitMessage)
            return advanced(to: try await loop.commit(.update(update), on: self))
        } catch {
            if error.filesAreUnused { await store.discard(writer.paths) }
            throw error.error
        }
    }
}

extension ObjectStore {
    /// Removes files that no version names, as far as that is possible: left behind, they do no harm.
    fileprivate func discard(_ paths: [String]) async {
        for path in paths { try? await delete(path) }
    }
}
