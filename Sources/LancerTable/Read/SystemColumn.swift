import LancerArrow
import LancerBytes

/// A column that every row has without its being stored, unless the table has a column of that name.
package enum SystemColumn: String, CaseIterable, Sendable {
    /// The stable id; the address in tables without stable ids.
    case rowID = "_rowid"
    case rowAddress = "_rowaddr"
    /// Number of the row as a scan gives it.
    case rowNumber = "_rowoffset"
    case createdAt = "_row_created_at_version"
    case updatedAt = "_row_last_updated_at_version"

    var arrowField: ArrowField { ArrowField(rawValue, .uint64) }

    /// The values of some rows of a fragment.
    ///
    /// - Parameters:
    ///   - rows: Offsets in the fragment.
    ///   - vector: All deleted rows of the fragment.
    /// - Throws: `corrupt`, `unsupported`.
    func values(
        _ rows: some RandomAccessCollection<Int>,
        of fragment: Fragment,
        _ vector: DeletionVector?,
        _ manifest: Manifest
    ) throws(LanceError) -> [UInt64?] {
        let addresses = rows.lazy.map { RowAddress(fragment: fragment.id, offset: $0).rawValue }
        switch self {
        case .rowAddress: return addresses.map { $0 }
        case .rowNumber:
            guard let index = manifest.fragments.firstIndex(where: { $0.id == fragment.id }),
                let start = manifest.liveRowStarts?[index]
            else { throw .unsupported("_rowoffset in a table whose manifest does not number its rows") }
            return rows.map { UInt64(start + $0 - (vector?.deletedCount(before: $0) ?? 0)) }
        case .rowID where !manifest.hasStableRowIDs: return addresses.map { $0 }
        // Noted of rows with stable ids only; the reference says 1 of all others.
        case .createdAt where !manifest.hasStableRowIDs, .updatedAt where !manifest.hasStableRowIDs:
            return rows.map { _ in 1 }
        case .rowID, .createdAt, .updatedAt:
            let lineage = try RowLineage(of: fragment)
            guard rows.allSatisfy({ $0 < lineage.ids.count }) else {
                throw .corrupt("fragment \(fragment.id) has only \(lineage.ids.count) row ids")
            }
            if self == .rowID { return rows.map { lineage.ids[$0] } }
            let runs = (self == .createdAt ? lineage.created : lineage.updated).runs
            let versions = runs.flatMap { [UInt64](repeating: $0.version, count: $0.count) }
            return rows.map { versions[$0] }
        }
    }
}

extension Table {
    /// The values of a system column for live rows by number, in the order given.
    ///
    /// - Throws: `invalidArgument` for a number outside the table, `corrupt`, `unsupported`, `io`.
    func values(of column: SystemColumn, ofRows rows: [Int]) async throws -> ArrowArray {
        let addresses = try await addresses(ofRows: rows)
        var positions: [UInt64: [Int]] = [:]
        for (position, address) in addresses.enumerated() { positions[address.fragment, default: []].append(position) }
        var result = [UInt64?](repeating: nil, count: rows.count)
        for fragment in manifest.fragments {
            guard let places = positions[fragment.id] else { continue }
            let vector = try await files.deletionVector(of: fragment, manifest)
            let values = try column.values(places.map { Int(addresses[$0].offset) }, of: fragment, vector, manifest)
            for (place, value) in zip(places, values) { result[place] = value }
        }
        return .uint64(result)
    }
}
