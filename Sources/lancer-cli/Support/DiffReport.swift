import Lancer

/// Prints the differences between two versions as they are found.
final class DiffReport {
    private let json: Bool
    private let limit: Int
    private let key: [String]
    private let out = standardOutput()
    private var shown: [String: Int] = [:]

    init(json: Bool, limit: Int, key: [String]) {
        self.json = json
        self.limit = limit
        self.key = key
    }

    func begin(_ old: Dataset, _ new: Dataset) throws {
        if !json { try out.write("version \(old.version) → \(new.version)\n") }
    }

    func show(_ change: ColumnChange) throws {
        if json {
            let members: [(String, JSONText)] = [
                ("of", .string("column")), ("change", .string(change.kind.rawValue)), ("column", .string(change.path)),
                ("before", .optional(change.before)), ("after", .optional(change.after)),
            ]
            return try out.write("\(JSONText.object(members).line)\n")
        }
        let path = change.path.isEmpty ? "the schema" : "column \(change.path.visible)"
        let (before, after) = ((change.before ?? "").visible, (change.after ?? "").visible)
        let text =
            switch change.kind {
            case .added: "+ \(path): \(after)"
            case .removed: "- \(path): \(before)"
            case .renamed: "~ \(path): was called \(before)"
            case .retyped, .nullability: "~ \(path): \(before) → \(after)"
            case .metadata: "~ metadata of \(path): \(before) → \(after)"
            case .moved: "~ order of \(change.path.isEmpty ? "the columns" : path): \(before) → \(after)"
            }
        try out.write("\(text)\n")
    }

    func show(_ change: RowDifference) throws {
        switch change {
        case .added(let rows): try show("added", "+", rows)
        case .removed(let rows): try show("removed", "-", rows)
        case .changed(let before, let after, let columns):
            for row in 0..<before.rowCount where mayShow("changed") {
                try show(row, before, after, columns[row])
            }
        }
    }

    private func mayShow(_ kind: String) -> Bool {
        let count = shown[kind, default: 0]
        shown[kind] = count + 1
        return count < limit
    }

    private func show(_ kind: String, _ sign: String, _ rows: RecordBatch) throws {
        for row in 0..<rows.rowCount where mayShow(kind) {
            let values = Self.object(rows, row, rows.schema.fields.map(\.name))
            if json {
                let members = [("of", JSONText.string("row")), ("change", .string(kind)), ("row", values)]
                try out.write("\(JSONText.object(members).line)\n")
            } else {
                try out.write("\(sign) \(values.line.visible)\n")
            }
        }
    }

    private func show(_ row: Int, _ before: RecordBatch, _ after: RecordBatch, _ columns: [String]) throws {
        let keys = Self.object(after, row, key.map { $0.split(separator: ".").first.map(String.init) ?? $0 })
        let (old, new) = (Self.object(before, row, columns), Self.object(after, row, columns))
        if json {
            let members = [
                ("of", JSONText.string("row")), ("change", .string("changed")), ("key", keys), ("before", old),
                ("after", new),
            ]
            try out.write("\(JSONText.object(members).line)\n")
        } else {
            try out.write("~ \(keys.line.visible): \(old.line.visible) → \(new.line.visible)\n")
        }
    }

    /// Some columns of a row. A renamed column has another name in the older version and is left out there.
    private static func object(_ batch: RecordBatch, _ row: Int, _ columns: [String]) -> JSONText {
        .object(
            columns.compactMap { name in batch.column(name).map { (name, .raw($0.formatted(at: row))) } }
        )
    }

    func finish(
        _ old: Dataset,
        _ new: Dataset,
        _ columns: Int,
        _ counts: RowDifferenceCounts?,
        rows: (Int, Int)
    ) throws {
        if json {
            var members: [(String, JSONText)] = [
                ("of", .string("summary")), ("from", .unsigned(old.version)), ("to", .unsigned(new.version)),
                ("columnChanges", .count(columns)), ("rowsBefore", .count(rows.0)), ("rowsAfter", .count(rows.1)),
            ]
            if let counts {
                members += [
                    ("added", .count(counts.added)), ("removed", .count(counts.removed)),
                    ("changed", .count(counts.changed)),
                ]
            }
            try out.write("\(JSONText.object(members).line)\n")
            return try out.flush()
        }
        if columns == 0 { try out.write("the columns are the same\n") }
        if let counts {
            let hidden = shown.values.contains { $0 > limit }
            try out.write(
                "\(counts.added.counted("row")) added, \(counts.removed.grouped) removed, \(counts.changed.grouped) changed"
                    + (hidden ? " (not all shown; --limit)" : "") + "\n"
            )
        } else {
            try out.write("\(rows.0.counted("row")) → \(rows.1.grouped); name a --key to see which differ\n")
        }
        try out.flush()
    }
}
