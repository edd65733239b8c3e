import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage

extension Table {
    /// Works out which fragments a compaction would write anew, without writing.
    ///
    /// - Throws: `corrupt`, `io`, and only for tables whose manifest lacks the numbers of rows.
    package func planCompaction(_ rules: CompactionRules) async throws -> CompactionPlan {
        var sizes: [FragmentSize] = []
        let coverage = try IndexEntries(manifest.indexSection).coverage()
        for fragment in manifest.fragments {
            let rows = try await files.physicalRowCount(of: fragment, manifest)
            let live = try await files.liveRowCount(of: fragment, manifest)
            sizes.append(
                FragmentSize(
                    fragment: fragment,
                    physicalRows: rows,
                    liveRows: live,
                    coverage: coverage[fragment.id] ?? []
                )
            )
        }
        return CompactionPlan(sizes, rules)
    }

    /// Writes small fragments and those with many deleted rows anew, as fewer and larger ones.
    ///
    /// Rows keep their order: fragments behind the first one that changes get new ids, too, without being written. Indices
    /// of vectors are written anew with the rows' new addresses; in tables with stable row ids they stay as they are and
    /// cover the new fragments. Other indices of row addresses are left as they are: then fragments behind keep their ids,
    /// so that those indices go on covering them, and rows written anew move to the end, as the reference does it; such
    /// indices do not cover those until they are optimized. Memory holds a few batches and the unfinished pages of one file.
    ///
    /// - Parameters:
    ///   - progress: Told after each batch how many rows were written and the batch's bytes.
    ///   - indexMemory: Bytes that writing indices anew may use.
    ///   - remap: Writes the indices in another way; nil for the usual one.
    /// - Returns: The new version; this one when there is nothing to do.
    /// - Throws: `unsupported` for file versions that are only read, `conflict`, `corrupt`, `io`. The rows are as they were
    ///   then.
    package func compact(
        _ rules: CompactionRules,
        commitMessage: String?,
        progress: WriteProgress? = nil,
        indexMemory: Int = 2 << 30,
        remap: IndexRewriting? = nil
    ) async throws -> Table {
        try await retrying { try await $0.compactOnce(rules, commitMessage, progress, indexMemory, remap) }
    }

    /// Makes index segments anew after a compaction of `table`, whose rows get the addresses of the map.
    package typealias IndexRewriting =
        @Sendable (_ table: Table, _ map: RowAddressMap) async throws -> [RewrittenIndex]

    private func compactOnce(
        _ rules: CompactionRules,
        _ commitMessage: String?,
        _ progress: WriteProgress?,
        _ indexMemory: Int,
        _ remap: IndexRewriting?
    ) async throws -> Table {
        try manifest.writerFlags.requireKnown(to: "write")
        let version = try writableFileVersion()
        let plan = try await planCompaction(rules)
        if plan.bins.isEmpty { return self }
        var written: [String] = []
        do {
            var groups: [RewriteGroup] = []
            for bin in plan.bins {
                groups.append(try await rewrite(bin, version, rules, progress, &written))
            }
            var remapping = try await IndexRemapping(self, memoryLimit: indexMemory)
            if remapping.keepsAll || remap != nil { groups = withFollowers(groups) }
            let loop = CommitLoop(store: store, commitMessage: commitMessage)
            let count = groups.reduce(0) { $0 + $1.new.count }
            if count > 0 {
                let highest = try await Self.unwrapping { () async throws(CommitLoop.Failure) in
                    try await loop.commit(.reserveFragments(UInt32(clamping: count)), on: self).maxFragmentID ?? 0
                }
                try await number(&groups, from: UInt64(highest) + 1 - UInt64(count), &written)
            }
            let map = try await RowAddressMap(groups, files, manifest)
            let indices: [RewrittenIndex]
            if let remap { indices = try await remap(self, map) } else { indices = try await remapping.rewrite(map) }
            written += remapping.paths
            let operation = Operation.rewrite(groups, indices: indices)
            return advanced(
                to: try await Self.unwrapping { () async throws(CommitLoop.Failure) in
                    try await loop.commit(operation, on: self)
                }
            )
        } catch let error as Uncertain {
            throw error.error
        } catch {
            // Best effort: files that no version names do no harm.
            for path in written { try? await store.delete(path) }
            throw error
        }
    }

    /// A commit that may have happened: its files must stay.
    private struct Uncertain: Error {
        var error: LanceError
    }

    private static func unwrapping<T: Sendable>(
        _ commit: () async throws(CommitLoop.Failure) -> T
    ) async throws -> T {
        do throws(CommitLoop.Failure) {
            return try await commit()
        } catch {
            if error.filesAreUnused { throw error.error }
            throw Uncertain(error: error.error)
        }
    }

    private func rewrite(
        _ bin: CompactionPlan.Bin,
        _ version: FileVersion,
        _ rules: CompactionRules,
        _ progress: WriteProgress?,
        _ written: inout [String]
    ) async throws -> RewriteGroup {
        let projection = try Projection(nil, of: manifest.schema)
        let scan = try TableScan(table: self, projection: projection, fragments: bin.fragments)
        let limits = try FragmentLimits(rowsPerFile: bin.rowsPerFile(rules), bytesPerFile: .max)
        var writer = FragmentWriter(store: store, schema: manifest.schema, version: version, limits: limits)
        defer { written += writer.paths }
        do {
            let iterator = scan.makeIterator()
            while let batch = try await iterator.next() {
                try writer.write(batch)
                progress?(batch.rowCount, batch.sizeInBytes)
            }
            try writer.finishFile()
        } catch {
            writer.cancel()
            throw error
        }
        return RewriteGroup(old: bin.fragments, new: try await keepingLineage(of: bin, writer.fragments))
    }

    /// Hands on stable row ids and row versions of the live rows.
    private func keepingLineage(of bin: CompactionPlan.Bin, _ new: [Fragment]) async throws -> [Fragment] {
        guard manifest.hasStableRowIDs else { return new }
        var all = RowLineage()
        for fragment in bin.fragments {
            let lineage = try RowLineage(of: fragment)
            let deleted = try await files.deletionVector(of: fragment, manifest)
            let rows = 0..<lineage.ids.count
            all.append(lineage.selecting(deleted?.liveRanges(in: rows) ?? [rows]))
        }
        var start = 0
        var result: [Fragment] = []
        for fragment in new {
            let end = start + (fragment.physicalRowCount ?? 0)
            guard end <= all.ids.count else { throw LanceError.corrupt("more rows were merged than there are ids") }
            result.append(try fragment.carrying(all.selecting([start..<end])))
            start = end
        }
        return result
    }

    /// Adds groups of one fragment each for those behind the first that changes, so that they can be given higher ids: in a
    /// manifest fragments are in the order of their ids.
    private func withFollowers(_ groups: [RewriteGroup]) -> [RewriteGroup] {
        let first = Dictionary(groups.compactMap { group in group.old.first.map { ($0.id, group) } }) { one, _ in one }
        let changed = Set(groups.flatMap { $0.old.map(\.id) })
        var result: [RewriteGroup] = []
        for fragment in manifest.fragments {
            if let group = first[fragment.id] {
                result.append(group)
            } else if !result.isEmpty, !changed.contains(fragment.id) {
                result.append(RewriteGroup(old: [fragment], new: [fragment]))
            }
        }
        return result
    }

    /// Gives the new fragments their ids, and deletion files of those names to the ones that were not written anew.
    private func number(_ groups: inout [RewriteGroup], from start: UInt64, _ written: inout [String]) async throws {
        var next = start
        for group in groups.indices {
            for index in groups[group].new.indices {
                var fragment = groups[group].new[index]
                let deleted = try await files.deletionVector(of: fragment, manifest)
                fragment.id = next
                next += 1
                if let deleted {
                    let file = DeletionFile(for: deleted, readVersion: manifest.version, id: RandomName.number())
                    let path = "\(DeletionFile.directory)/\(file.fileName(fragment: fragment.id))"
                    written.append(path)
                    try await store.put(path, try deleted.serialized(file.kind))
                    fragment = try fragment.deleting(file)
                }
                groups[group].new[index] = fragment
            }
        }
    }
}
