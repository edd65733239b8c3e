import LancerBytes
import LancerFile
import LancerIndex
import LancerKernels

/// The index that a search uses.
struct IndexChoice: Sendable {
    /// A segment that can be searched.
    struct Segment: Sendable {
        var entry: IndexEntry
        var segment: VectorIndexSegment
    }

    /// None for a search without an index.
    var segments: [Segment] = []
    var metric: VectorMetric
    /// Fragments with live rows that none of the segments covers.
    var uncovered: [Fragment] = []
    /// What kept an index, or a segment of one, from being used.
    var warnings: [String] = []
}

extension Table {
    /// The index for a search on a column: the first of the metric asked for, or the first.
    ///
    /// - Parameter name: The index to use; nil for any.
    ///
    /// An index or segment that Lancer cannot search is left alone, with a warning: its rows are compared one by one.
    ///
    /// - Throws: `corrupt`, `truncated`, `io` for an index that is damaged.
    func chooseIndex(
        on column: VectorColumn,
        _ options: NearestOptions,
        named name: String? = nil
    ) async throws -> IndexChoice {
        guard options.usesIndex, manifest.indexSection != nil else {
            return IndexChoice(metric: options.metric ?? .l2)
        }
        let key = IndexFiles.ChoiceKey(
            version: manifest.version,
            transaction: manifest.transactionFile,
            fieldID: column.fieldID,
            metric: options.metric,
            name: name
        )
        return try await files.indices.choice(key) {
            var choice = try await findIndex(on: column, options, named: name)
            let covered = Set(choice.segments.flatMap { $0.entry.fragments.map { UInt64($0) } })
            for fragment in manifest.fragments where !covered.contains(fragment.id) {
                if try await files.liveRowCount(of: fragment, manifest) > 0 { choice.uncovered.append(fragment) }
            }
            return choice
        }
    }

    private func findIndex(
        on column: VectorColumn,
        _ options: NearestOptions,
        named name: String?
    ) async throws -> IndexChoice {
        var choice = IndexChoice(metric: options.metric ?? .l2)
        let all = try manifest.indexEntries()
        var names: [String] = []
        var groups: [String: [IndexEntry]] = [:]
        for entry in all
        where entry.mayBeVectorIndex && entry.fieldIDs == [column.fieldID] && (name ?? entry.name) == entry.name {
            guard entry.hasKnownVersion else {
                choice.warnings.append(
                    "index \"\(entry.name)\" has layout version \(entry.layoutVersion), which this Lancer does not know; "
                        + "its rows are compared one by one"
                )
                continue
            }
            // An index without rows is one that is still to be trained.
            if entry.fragments.isEmpty { continue }
            if groups[entry.name] == nil { names.append(entry.name) }
            groups[entry.name, default: []].append(entry)
        }
        if !names.isEmpty, all.contains(where: { $0.name == IndexEntry.fragmentReuseName }),
            !manifest.hasStableRowIDs
        {
            choice.warnings.append(
                "fragments were compacted without their indices (\(IndexEntry.fragmentReuseName)); rows are compared one "
                    + "by one until the indices are optimized by the program that did so"
            )
            if options.metric == nil, let metric = groups[names[0]]?.last?.vector?.metric { choice.metric = metric }
            return choice
        }
        for name in names {
            let entries = groups[name] ?? []
            if let wanted = options.metric, let metric = entries.last?.vector?.metric, wanted != metric { continue }
            let (segments, warnings) = try await open(entries, column)
            let metric = entries.last?.vector?.metric ?? segments.last?.segment.model.metric
            if let metric, let wanted = options.metric, wanted != metric { continue }
            choice.metric = metric ?? choice.metric
            choice.warnings += warnings
            for part in segments {
                guard part.segment.model.metric == choice.metric else {
                    choice.warnings.append(
                        "a segment of index \"\(name)\" is for \(part.segment.model.metric.name) and not for "
                            + "\(choice.metric.name) as the table says; its rows are compared one by one"
                    )
                    continue
                }
                choice.segments.append(part)
            }
            break
        }
        return choice
    }

    private func open(
        _ entries: [IndexEntry],
        _ column: VectorColumn
    ) async throws -> (segments: [IndexChoice.Segment], warnings: [String]) {
        var segments: [IndexChoice.Segment] = []
        var warnings: [String] = []
        for entry in entries where !covered(by: entry).isEmpty {
            if let details = entry.vector, details.compression == .rabit || details.metric == nil {
                warnings.append(Self.cannotSearch(entry, details.typeName))
                continue
            }
            do {
                let segment = try await files.indices.open(entry, column, manifest, files)
                segments.append(IndexChoice.Segment(entry: entry, segment: segment))
            } catch let error as LanceError where error.code == .unsupported {
                warnings.append(Self.cannotSearch(entry, error.message))
            } catch let error as LanceError {
                throw LanceError(
                    error.code,
                    "\(error.message); a search without the index, or dropping it, goes around this",
                    at: error.location,
                    cause: error.cause
                )
            }
        }
        return (segments, Array(Set(warnings)).sorted())
    }

    private static func cannotSearch(_ entry: IndexEntry, _ what: String) -> String {
        "index \"\(entry.name)\" cannot be searched (\(what)); its rows are compared one by one"
    }
}
