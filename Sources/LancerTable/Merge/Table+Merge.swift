import LancerArrow
import LancerBytes
import LancerFile

/// The rows that a merge changes.
private struct MergePlan {
    /// Rows of the table that get the values of a row of the source, in the source's order.
    var updates: [(source: Int, target: RowAddress)] = []
    var deletes: [RowAddress] = []
    /// Rows of the source that are new.
    var inserts: [Int] = []

    var isEmpty: Bool { updates.isEmpty && deletes.isEmpty && inserts.isEmpty }

    /// The rows that go, those that only move among them.
    var gone: RowsGone {
        let addresses = (updates.map(\.target) + deletes).sorted()
        let fragments = Dictionary(grouping: addresses, by: \.fragment)
        return fragments.mapValues { DeletionVector(sortedOffsets: $0.map(\.offset)) }
    }
}

extension Table {
    /// Brings the rows of a source into the table by key.
    ///
    /// Reads the key columns of the table, and those that conditions name, once; rows that change are written anew behind
    /// the others, in the order of the source, updated ones first. When another writer gets in between, all of it is done
    /// again on the newest version. When nothing changes, no version is made.
    ///
    /// - Parameters:
    ///   - keys: Names or dotted paths of the key columns; empty for the primary key that the schema names.
    /// - Throws: `notFound`, `schemaMismatch`, `invalidArgument`, `alreadyExists` (a match where none may be), `conflict`,
    ///   `limitExceeded`, `corrupt`, `io`.
    package func merge(
        _ rows: CollectedRows,
        on keys: [String],
        _ clauses: MergeClauses,
        _ options: MergeWriteOptions
    ) async throws -> (table: Table, counts: MergeCounts) {
        try clauses.check()
        var counts = MergeCounts()
        let table = try await retrying { table in
            counts = MergeCounts(attempts: counts.attempts + 1)
            return try await table.mergeOnce(rows, keys, clauses, options, &counts)
        }
        return (table, counts)
    }

    private func mergeOnce(
        _ rows: CollectedRows,
        _ keys: [String],
        _ clauses: MergeClauses,
        _ options: MergeWriteOptions,
        _ counts: inout MergeCounts
    ) async throws -> Table {
        let columns = try MergeColumns(rows.schema, into: manifest.schema)
        let source = try KeyedSource(rows, columns, keys: try keyPaths(keys))
        if clauses.notMatched == .insert, let column = columns.missing.first(where: { !$0.nullable }) {
            throw LanceError.schemaMismatch(
                "column \"\(column.name)\", which must not be null in the table, is missing in the data to insert"
            )
        }
        let plan = try await mergePlan(try MergeMatcher(source, clauses), clauses)
        counts.inserted = plan.inserts.count
        counts.updated = plan.updates.count
        counts.deleted = plan.deletes.count
        if plan.isEmpty || options.isDryRun { return self }
        let change = RowReplacement(
            changedFieldIDs: manifest.schema.fields.flatMap(\.subtree).map(\.id),
            insertsNewKeys: source.hasKey(plan.inserts),
            limits: options.limits,
            commitMessage: options.commitMessage
        )
        return try await replacing(change) { fragments in
            try keepingRowIDs(of: plan.updates.map(\.target), in: fragments)
        } writing: { writer in
            try await write(plan, source, &writer)
            return plan.gone
        }
    }

    /// The key columns.
    private func keyPaths(_ names: [String]) throws(LanceError) -> [[LanceField]] {
        if names.isEmpty {
            let paths = manifest.schema.primaryKey
            guard !paths.isEmpty else {
                throw .invalidArgument("a merge needs key columns; the table has no primary key that would say which")
            }
            return paths
        }
        var paths: [[LanceField]] = []
        for name in names {
            let path = try Projection.resolve(name, manifest.schema)
            if !paths.contains(where: { $0.map(\.id) == path.map(\.id) }) { paths.append(path) }
        }
        return paths
    }

    private func mergePlan(_ matcher: MergeMatcher, _ clauses: MergeClauses) async throws -> MergePlan {
        var plan = MergePlan()
        var isMatched = [Bool](repeating: false, count: matcher.source.keyCount)
        try await sweep(matcher.projection) {
            try matcher.match($0)
        } _: { matches in
            for key in matches.keys { isMatched[key] = true }
            plan.updates += matches.updates
            plan.deletes += matches.deletes
        }
        plan.updates.sort { ($0.source, $0.target) < ($1.source, $1.target) }
        if clauses.notMatched == .insert { plan.inserts = matcher.source.rows(notIn: isMatched) }
        return plan
    }

    /// Writes updated rows, then new ones.
    private func write(_ plan: MergePlan, _ source: KeyedSource, _ writer: inout FragmentWriter) async throws {
        let all = try Projection(nil, of: manifest.schema)
        let step = Swift.min(BatchSize.rows(for: all, of: manifest), 1 << 16)
        let incomplete = source.columns.incomplete
        let rest = incomplete.isEmpty ? nil : try Projection(incomplete.map { [$0] }, names: incomplete.map(\.name))
        for start in stride(from: 0, to: plan.updates.count, by: step) {
            try Task.checkCancellation()
            let part = plan.updates[start..<Swift.min(start + step, plan.updates.count)]
            var old: [ArrowArray] = []
            if let rest { old = try await take(at: part.map(\.target), rest).columns }
            try writer.write(try source.batch(part.map(\.source), over: old))
        }
        for start in stride(from: 0, to: plan.inserts.count, by: step) {
            try Task.checkCancellation()
            let part = Array(plan.inserts[start..<Swift.min(start + step, plan.inserts.count)])
            let nulls = incomplete.map { ArrowArray.nulls(type: $0.type, length: part.count) }
            try writer.write(try source.batch(part, over: nulls))
        }
    }
}

extension KeyedSource {
    /// Rows of the table made from rows of the source.
    ///
    /// - Parameter old: What the rows had so far in the columns that are not complete in the source.
    fileprivate func batch(_ rows: [Int], over old: [ArrowArray]) throws(LanceError) -> RecordBatch {
        var arrays: [ArrowArray] = []
        var old = old[...]
        let incomplete = Set(columns.incomplete.map(\.id))
        for (index, field) in columns.schema.fields.enumerated() {
            let before = incomplete.contains(field.id) ? old.popFirst() : nil
            guard let part = columns.part(of: index) else {
                if let before { arrays.append(before) }
                continue
            }
            let new = try self.rows.gather(rows, type: part.type) { (batch) throws(LanceError) in
                try columns.array(at: [field], of: batch)
            }
            arrays.append(
                try before.map { (old) throws(LanceError) in
                    try StructOverlay.apply(new, part, over: old, field)
                } ?? new
            )
        }
        return RecordBatch(unchecked: columns.schema.arrowSchema, arrays, rowCount: rows.count)
    }
}

extension LanceSchema {
    /// The fields marked as the primary key, as paths: by their position, those without one first.
    fileprivate var primaryKey: [[LanceField]] {
        var found: [(position: UInt32, path: [LanceField])] = []
        func look(_ field: LanceField, _ above: [LanceField]) {
            let path = above + [field]
            if let position = field.primaryKeyPosition { found.append((position, path)) }
            for child in field.children { look(child, path) }
        }
        for field in fields { look(field, []) }
        // Sorting is stable: equal positions keep the order of the columns.
        return found.sorted { $0.position < $1.position }.map(\.path)
    }
}
