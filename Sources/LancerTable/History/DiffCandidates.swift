import LancerArrow
import LancerBytes
import LancerFile
import LancerProto
import LancerStorage

/// The rows of two versions that may differ: those in files that only one of them has, and those that only one of them
/// deleted.
struct DiffCandidates {
    /// Rows of a version, as numbers of live rows.
    struct Part {
        var rows: [Range<Int>]
        var count: Int { rows.reduce(0) { $0 + $1.count } }
    }

    private(set) var old = Part(rows: [])
    private(set) var new = Part(rows: [])

    /// Reads the deletion vectors of both versions, no data.
    init(_ old: Table, _ new: Table, _ common: [(old: LanceField, new: LanceField)]) async throws {
        let oldLeaves = common.flatMap { $0.old.leaves.map(\.id) }
        let newLeaves = common.flatMap { $0.new.leaves.map(\.id) }
        // A column that is in one version only makes no row differ.
        var before: [[String]: (index: Int, rows: Int)] = [:]
        for (index, fragment) in old.manifest.fragments.enumerated() {
            let rows = try await old.files.physicalRowCount(of: fragment, old.manifest)
            before[Self.signature(fragment, oldLeaves, old)] = (index, rows)
        }
        let oldStarts = try await old.liveRowStarts()
        let newStarts = try await new.liveRowStarts()
        var matched: Set<Int> = []
        for (index, fragment) in new.manifest.fragments.enumerated() {
            let signature = Self.signature(fragment, newLeaves, new)
            guard let match = before[signature], matched.insert(match.index).inserted else {
                self.new.add(newStarts[index]..<newStarts[index + 1])
                continue
            }
            let oldDeleted =
                try await old.files.deletionVector(of: old.manifest.fragments[match.index], old.manifest)
                ?? DeletionVector()
            let newDeleted = try await new.files.deletionVector(of: fragment, new.manifest) ?? DeletionVector()
            if oldDeleted == newDeleted { continue }
            self.old.add(newDeleted.subtracting(oldDeleted), liveIn: oldDeleted, from: oldStarts[match.index])
            self.new.add(oldDeleted.subtracting(newDeleted), liveIn: newDeleted, from: newStarts[index])
        }
        for index in old.manifest.fragments.indices where !matched.contains(index) {
            self.old.add(oldStarts[index]..<oldStarts[index + 1])
        }
    }

    /// Where the values of the columns are: equal only for the same bytes.
    private static func signature(_ fragment: Fragment, _ leaves: [Int32], _ table: Table) -> [String] {
        var owner: [Int32: DataFile] = [:]
        for file in fragment.files {
            for id in file.fieldIDs where id >= 0 { owner[id] = file }
        }
        return leaves.map { id in
            guard let file = owner[id] else { return "" }
            let base = file.baseID.flatMap { try? table.manifest.basePath($0).path } ?? table.store.root
            let place = file.fieldIDs.firstIndex(of: id) ?? 0
            let column = place < file.columnIndices.count ? file.columnIndices[place] : -1
            return "\(base)\u{0}\(file.path)\u{0}\(column)"
        }
    }
}

extension DiffCandidates.Part {
    fileprivate mutating func add(_ range: Range<Int>) {
        if !range.isEmpty { rows.append(range) }
    }

    /// Adds rows by offset in a fragment.
    fileprivate mutating func add(_ offsets: DeletionVector, liveIn deleted: DeletionVector, from start: Int) {
        for run in offsets.runs {
            // No row of the run is deleted in this version, so their numbers are neighbours.
            let first = start + run.lowerBound - deleted.deletedCount(before: run.lowerBound)
            rows.append(first..<(first + run.count))
        }
    }

    /// The rows in parts that are small enough to be held.
    func forEachPart(_ body: ([Int]) async throws -> Void) async throws {
        var part: [Int] = []
        for range in rows {
            var start = range.lowerBound
            while start < range.upperBound {
                let end = Swift.min(range.upperBound, start + Self.partRows - part.count)
                part += start..<end
                start = end
                if part.count == Self.partRows {
                    try await body(part)
                    part = []
                }
            }
        }
        if !part.isEmpty { try await body(part) }
    }

    private static let partRows = 16_384
}
