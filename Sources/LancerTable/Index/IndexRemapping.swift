import LancerBytes
import LancerFile
import LancerIndex
import LancerProto
import LancerStorage
import SwiftProtobuf

/// Writes the segments of vector indices anew for rows that a compaction moves.
struct IndexRemapping {
    private let table: Table
    private let segments: [(entry: IndexEntry, segment: VectorIndexSegment)]
    private let memoryLimit: Int
    /// Whether every index goes on covering what it covers when any rows move.
    let keepsAll: Bool
    /// Files written, below the table's root.
    private(set) var paths: [String] = []

    /// Opens the segments of a version.
    ///
    /// - Throws: `corrupt`, `io`.
    init(_ table: Table, memoryLimit: Int) async throws {
        self.table = table
        self.memoryLimit = memoryLimit
        let entries = try table.manifest.indexEntries()
        if entries.isEmpty || table.manifest.hasStableRowIDs {
            segments = []
            keepsAll = entries.allSatisfy(\.holdsStableRowIDs)
            return
        }
        // Addresses in the files are of fragments that were compacted before, and nothing here reads where they went.
        let reuses = entries.contains { $0.name == IndexEntry.fragmentReuseName }
        var found: [(entry: IndexEntry, segment: VectorIndexSegment)] = []
        var skipsAny = reuses
        for entry in entries where !reuses && !table.covered(by: entry).isEmpty {
            let isKnown = entry.vector.map { $0.compression != .rabit && $0.metric != nil } ?? true
            guard entry.mayBeVectorIndex, entry.hasKnownVersion, isKnown, let fieldID = entry.fieldIDs.first,
                let column = try? VectorColumn(fieldID: fieldID, of: table.manifest.schema)
            else {
                skipsAny = true
                continue
            }
            do {
                let segment = try await table.files.indices.open(entry, column, table.manifest, table.files)
                found.append((entry, segment))
            } catch let error as LanceError where [.unsupported, .corrupt, .truncated].contains(error.code) {
                // What cannot be read is not made worse: its rows are found by comparing them afterwards.
                skipsAny = true
            }
        }
        segments = found
        keepsAll = !skipsAny
    }

    /// Writes the segments that cover fragments of the map.
    ///
    /// - Throws: `limitExceeded`, `corrupt`, `io`, `CancellationError`; files written so far are in ``paths``.
    mutating func rewrite(_ map: RowAddressMap) async throws -> [RewrittenIndex] {
        let moved = Set(map.oldFragments)
        var result: [RewrittenIndex] = []
        for (entry, segment) in segments where entry.fragments.contains(where: { moved.contains(UInt64($0)) }) {
            let live = try await table.liveRows(of: entry)
            var writer = IndexWriter(store: table.store)
            do {
                let (_, files) = try await writer.write { sinks in
                    try await VectorIndexBuilder.combine(
                        [segment],
                        remap: { _, id in
                            guard live.allows(id) else { return nil }
                            return switch map.place(of: RowAddress(rawValue: id)) {
                            case .unchanged: id
                            case .moved(let address): address.rawValue
                            case .gone: nil
                            }
                        },
                        to: sinks,
                        with: BuildMeans(memoryLimit: memoryLimit, threads: Machine.coreCount)
                    )
                }
                paths += writer.paths
                result.append(
                    .with {
                        $0.oldID = entry.message.uuid
                        $0.newID.uuid = ArrowBuffer(writer.uuid).data
                        if entry.message.hasIndexDetails { $0.newIndexDetails = entry.message.indexDetails }
                        $0.newIndexVersion = UInt32(clamping: entry.message.indexVersion)
                        $0.files = files
                    }
                )
            } catch {
                for path in paths { try? await table.store.delete(path) }
                paths = []
                throw error
            }
        }
        return result
    }
}
