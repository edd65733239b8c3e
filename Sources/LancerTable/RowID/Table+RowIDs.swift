import LancerBytes

extension Table {
    /// Ids of rows by address: the stable ones, or in tables without those the addresses themselves.
    ///
    /// - Throws: `invalidArgument` for an address where no row is, `corrupt`, `unsupported`.
    package func rowIDs(at addresses: [RowAddress]) throws(LanceError) -> [UInt64] {
        guard manifest.hasStableRowIDs else { return addresses.map(\.rawValue) }
        let byID = Dictionary(manifest.fragments.map { ($0.id, $0) }) { first, _ in first }
        var known: [UInt64: RowIDSequence] = [:]
        var result: [UInt64] = []
        result.reserveCapacity(addresses.count)
        for address in addresses {
            if known[address.fragment] == nil {
                guard let fragment = byID[address.fragment] else {
                    throw .invalidArgument("there is no fragment \(address.fragment)")
                }
                known[address.fragment] = try RowIDSequence(of: fragment)
            }
            guard let ids = known[address.fragment], address.offset < ids.count else {
                throw .invalidArgument("fragment \(address.fragment) has no row \(address.offset)")
            }
            result.append(ids[Int(address.offset)])
        }
        return result
    }

    /// Where the live rows with some ids are; nil for ids that no live row has.
    ///
    /// - Throws: `corrupt`, `unsupported`, `io`.
    /// - Complexity: looks at the ids of all fragments in the manifest, reads the deletion vectors of those concerned.
    package func addresses(ofRowIDs ids: [UInt64]) async throws -> [RowAddress?] {
        let byID = Dictionary(manifest.fragments.map { ($0.id, $0) }) { first, _ in first }
        let finder = manifest.hasStableRowIDs ? try RowIDFinder(manifest.fragments) : nil
        var result: [RowAddress?] = []
        result.reserveCapacity(ids.count)
        for id in ids {
            let candidates = finder?.candidates(id) ?? [RowAddress(rawValue: id)]
            var found: RowAddress?
            // A row that was moved is still in its old fragment, deleted there.
            for address in candidates {
                guard let fragment = byID[address.fragment] else { continue }
                let rows = try await files.physicalRowCount(of: fragment, manifest)
                guard address.offset < rows else { continue }
                let deleted = try await files.deletionVector(of: fragment, manifest)
                if deleted?.contains(Int(address.offset)) != true { found = address }
            }
            result.append(found)
        }
        return result
    }

    /// Numbers of live rows by address.
    ///
    /// - Throws: `invalidArgument` for an address where no live row is, `corrupt`, `io`.
    package func rowNumbers(at addresses: [RowAddress]) async throws -> [Int] {
        let starts = try await liveRowStarts()
        let indices = Dictionary(manifest.fragments.enumerated().map { ($0.element.id, $0.offset) }) { first, _ in first
        }
        var result: [Int] = []
        result.reserveCapacity(addresses.count)
        for address in addresses {
            let offset = Int(address.offset)
            guard let index = indices[address.fragment] else {
                throw LanceError.invalidArgument("there is no fragment \(address.fragment)")
            }
            let fragment = manifest.fragments[index]
            let rows = try await files.physicalRowCount(of: fragment, manifest)
            let deleted = try await files.deletionVector(of: fragment, manifest)
            guard offset < rows, deleted?.contains(offset) != true else {
                throw LanceError.invalidArgument("there is no row \(offset) in fragment \(address.fragment)")
            }
            result.append(starts[index] + offset - (deleted?.deletedCount(before: offset) ?? 0))
        }
        return result
    }
}

/// Finds the fragments that have a row of some stable id.
private struct RowIDFinder {
    private struct Entry {
        var ids: Range<UInt64>
        var fragment: UInt64
        var offset: Int
        /// Highest end of this range and all before it.
        var highestEnd: UInt64
    }

    private var entries: [Entry] = []

    init(_ fragments: [Fragment]) throws(LanceError) {
        for fragment in fragments {
            var offset = 0
            for ids in try RowIDSequence(of: fragment).ranges {
                entries.append(Entry(ids: ids, fragment: fragment.id, offset: offset, highestEnd: 0))
                offset += ids.count
            }
        }
        entries.sort { $0.ids.lowerBound < $1.ids.lowerBound }
        var highest: UInt64 = 0
        for index in entries.indices {
            highest = Swift.max(highest, entries[index].ids.upperBound)
            entries[index].highestEnd = highest
        }
    }

    func candidates(_ id: UInt64) -> [RowAddress] {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].ids.lowerBound <= id { low = middle + 1 } else { high = middle }
        }
        var result: [RowAddress] = []
        while low > 0, entries[low - 1].highestEnd > id {
            low -= 1
            let entry = entries[low]
            guard entry.ids.contains(id) else { continue }
            let offset = entry.offset + Int(id - entry.ids.lowerBound)
            result.append(RowAddress(fragment: entry.fragment, offset: offset))
        }
        return result
    }
}
