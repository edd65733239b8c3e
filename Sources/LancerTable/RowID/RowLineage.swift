import LancerBytes
import LancerProto

/// What a table with stable row ids notes of its rows: their ids, and the versions they were made and last changed in.
package struct RowLineage: Sendable, Hashable {
    package var ids = RowIDSequence()
    package var created = RowVersions()
    package var updated = RowVersions()

    /// Of no rows.
    package init() {}

    /// Reads what a fragment notes of all its rows. Rows whose versions nobody noted were made in version 1, as the
    /// reference has it.
    ///
    /// - Throws: `corrupt`, `unsupported` when any of it is in a file of its own.
    package init(of fragment: Fragment) throws(LanceError) {
        ids = try RowIDSequence(of: fragment)
        if let rows = fragment.physicalRowCount, ids.count != rows {
            throw .corrupt("fragment \(fragment.id) has \(rows) rows and \(ids.count) row ids")
        }
        do throws(LanceError) {
            switch fragment.message.createdAtVersionSequence {
            case .inlineCreatedAtVersions(let bytes):
                created = try RowVersions(ArrowBuffer(Array(bytes)), rowCount: ids.count)
            case nil: created.append(ids.count, version: 1)
            default: throw .unsupported("row versions in a file of their own")
            }
            switch fragment.message.lastUpdatedAtVersionSequence {
            case .inlineLastUpdatedAtVersions(let bytes):
                updated = try RowVersions(ArrowBuffer(Array(bytes)), rowCount: ids.count)
            case nil: updated = created
            default: throw .unsupported("row versions in a file of their own")
            }
        } catch {
            throw error.located(part: "fragment \(fragment.id)")
        }
    }

    /// Of some rows, given as ascending ranges of offsets.
    package func selecting(_ offsets: [Range<Int>]) -> RowLineage {
        var result = RowLineage()
        result.ids = ids.selecting(offsets)
        result.created = created.selecting(offsets)
        result.updated = updated.selecting(offsets)
        return result
    }

    /// Adds rows behind the others.
    package mutating func append(_ other: RowLineage) {
        for range in other.ids.ranges { ids.append(range) }
        for run in other.created.runs { created.append(run.count, version: run.version) }
        for run in other.updated.runs { updated.append(run.count, version: run.version) }
    }

    /// Notes all of it in a fragment's message.
    ///
    /// - Throws: `limitExceeded`, which messages of this size never do.
    func store(in message: inout Lance_Table_DataFragment) throws(LanceError) {
        message.inlineRowIds = try ids.message.encodedData("row ids")
        message.inlineCreatedAtVersions = try created.message.encodedData("row versions")
        message.inlineLastUpdatedAtVersions = try updated.message.encodedData("row versions")
    }
}

extension Fragment {
    /// The fragment with other notes of its rows.
    func carrying(_ lineage: RowLineage) throws(LanceError) -> Fragment {
        var fragment = self
        try lineage.store(in: &fragment.message)
        return fragment
    }
}

extension Table {
    /// Lets rows that were written anew keep their stable ids: for an update or a merge. In tables without such ids
    /// nothing changes.
    ///
    /// - Parameters:
    ///   - fragments: Fragments just written and not committed. Their first rows, in order, are the moved ones; rows behind
    ///     them are new and get ids at commit.
    ///   - addresses: Where the moved rows are in this version, in the order they were written.
    /// - Throws: `invalidArgument` for an address where no row is, or when there are more addresses than rows; `corrupt`.
    package func keepingRowIDs(
        of addresses: [RowAddress],
        in fragments: [Fragment]
    ) throws(LanceError) -> [Fragment] {
        guard manifest.hasStableRowIDs else { return fragments }
        var known: [UInt64: RowLineage] = [:]
        let byID = Dictionary(manifest.fragments.map { ($0.id, $0) }) { first, _ in first }
        var result: [Fragment] = []
        var next = 0
        for fragment in fragments {
            let rows = fragment.physicalRowCount ?? 0
            var moved = RowLineage()
            while next < addresses.count, moved.ids.count < rows {
                let address = addresses[next]
                if known[address.fragment] == nil {
                    guard let source = byID[address.fragment] else {
                        throw .invalidArgument("there is no fragment \(address.fragment)")
                    }
                    known[address.fragment] = try RowLineage(of: source)
                }
                let offset = Int(address.offset)
                guard let lineage = known[address.fragment], offset < lineage.ids.count else {
                    throw .invalidArgument("fragment \(address.fragment) has no row \(offset)")
                }
                moved.ids.append(lineage.ids[offset])
                moved.created.append(1, version: lineage.created[offset])
                next += 1
            }
            if moved.ids.count == 0 {
                result.append(fragment)
                continue
            }
            var carrying = fragment
            carrying.message.inlineRowIds = try moved.ids.message.encodedData("row ids")
            carrying.message.inlineCreatedAtVersions = try moved.created.message.encodedData("row versions")
            result.append(carrying)
        }
        guard next == addresses.count else {
            throw .invalidArgument("\(addresses.count) rows moved to fewer new ones")
        }
        return result
    }
}

extension Fragment {
    /// Gives the rows of a new fragment that have no stable id yet ids from `next` on, and notes `version` as the one in
    /// which all its rows were last changed, and the rows without an id were made.
    ///
    /// - Returns: The first id that is still free.
    /// - Throws: `limitExceeded` when ids run out, `corrupt` for notes that cannot be read.
    mutating func complete(from next: UInt64, version: UInt64) throws(LanceError) -> UInt64 {
        let rows = physicalRowCount ?? 0
        var lineage = RowLineage()
        if message.rowIDSequence != nil { lineage.ids = try RowIDSequence(of: self) }
        let moved = lineage.ids.count
        guard moved <= rows else { throw .corrupt("a new fragment has \(rows) rows and \(moved) row ids") }
        let (end, overflow) = next.addingReportingOverflow(UInt64(rows - moved))
        if overflow { throw .limitExceeded("the table has used up its row ids") }
        lineage.ids.append(next..<end)
        if case .inlineCreatedAtVersions(let bytes) = message.createdAtVersionSequence {
            lineage.created = try RowVersions(ArrowBuffer(Array(bytes)), rowCount: nil)
        }
        guard lineage.created.count <= rows else { throw .corrupt("a new fragment has too many row versions") }
        lineage.created.append(rows - lineage.created.count, version: version)
        lineage.updated.append(rows, version: version)
        try lineage.store(in: &message)
        return end
    }

    /// Notes that all rows were last changed in `version`. Their ids and when they were made stay.
    mutating func markChanged(in version: UInt64) throws(LanceError) {
        var count = physicalRowCount ?? 0
        if physicalRowCount == nil { count = try RowIDSequence(of: self).count }
        var updated = RowVersions()
        updated.append(count, version: version)
        message.inlineLastUpdatedAtVersions = try updated.message.encodedData("row versions")
    }
}
