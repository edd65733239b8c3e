import LancerBytes
import LancerProto
import LancerStorage

/// Makes deleted rows part of the version a commit lands on: merges them with what was deleted there meanwhile, and stores
/// the deletion files.
///
/// What was made for one version is used again for the next as long as nobody deleted rows of the same fragment.
/// Spec: 11-commits.md, "Conflicts".
struct DeletionMerge {
    private struct Made {
        var base: DeletionFile?
        /// Nil when no row of the fragment is left.
        var file: DeletionFile?
        var path: String?
    }

    private let store: any ObjectStore
    private var made: [UInt64: Made] = [:]
    private(set) var paths: [String] = []

    init(store: any ObjectStore) { self.store = store }

    /// The fragments of `current` that change, and the ids of those that go.
    ///
    /// - Parameter prepared: The version in which the rows were seen.
    /// - Throws: `conflict` when a row or its fragment is gone or its columns were written anew, `io`.
    mutating func apply(
        _ gone: RowsGone,
        prepared: Manifest,
        to current: Manifest,
        _ files: TableFiles
    ) async throws(LanceError) -> (updated: [Fragment], removed: [UInt64]) {
        let before = Dictionary(prepared.fragments.map { ($0.id, $0) }) { first, _ in first }
        let now = Dictionary(current.fragments.map { ($0.id, $0) }) { first, _ in first }
        var updated: [Fragment] = []
        var removed: [UInt64] = []
        for (id, rows) in gone.sorted(by: { $0.key < $1.key }) where rows.count > 0 {
            guard let fragment = now[id] else { throw Self.conflict("fragment \(id) was rewritten or removed") }
            if let old = before[id], !Set(fragment.files).isSubset(of: old.files) {
                throw Self.conflict("columns of fragment \(id) were written anew")
            }
            let made = try await merge(rows, fragment, current, files)
            if let file = made.file { updated.append(try fragment.deleting(file)) } else { removed.append(id) }
        }
        return (updated, removed)
    }

    private static func conflict(_ what: String) -> LanceError { .conflict("\(what) by another writer", retry: true) }

    private mutating func merge(
        _ rows: DeletionVector,
        _ fragment: Fragment,
        _ current: Manifest,
        _ files: TableFiles
    ) async throws(LanceError) -> Made {
        if let made = made[fragment.id], made.base == fragment.deletion { return made }
        let physical: Int
        let deleted: DeletionVector
        do {
            physical = try await files.physicalRowCount(of: fragment, current)
            deleted = try await files.deletionVector(of: fragment, current) ?? DeletionVector()
        } catch {
            throw LanceError.wrapping(error)
        }
        if rows.intersects(deleted) { throw Self.conflict("rows of fragment \(fragment.id) were deleted or changed") }
        guard rows.upperBound <= physical else {
            throw .invalidArgument("row \(rows.upperBound - 1) of fragment \(fragment.id), which has \(physical)")
        }
        if let path = made[fragment.id]?.path { try? await store.delete(path) }
        let all = rows.union(deleted)
        var result = Made(base: fragment.deletion)
        if all.count < physical {
            let file = DeletionFile(for: all, readVersion: current.version, id: RandomName.number())
            let path = "\(DeletionFile.directory)/\(file.fileName(fragment: fragment.id))"
            let bytes = try all.serialized(file.kind)
            paths.append(path)
            try await store.put(path, bytes)
            result.file = file
            result.path = path
        }
        made[fragment.id] = result
        return result
    }
}

extension LanceError {
    /// An error of a call that throws anything, which is a `LanceError` except when the task was cancelled.
    static func wrapping(_ error: any Error) -> LanceError {
        (error as? LanceError) ?? LanceError(.io, "interrupted", cause: error)
    }
}
