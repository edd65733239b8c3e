import Lancer

/// The indices of a table, one a line; for machines with their segments.
enum IndexListing {
    static func of(_ indices: [IndexDescription]) -> Listing {
        var listing = Listing([
            .text("name"), .text("column"), .text("kind"), .text("metric"), .number("segments"), .number("rows"),
            .number("unindexed"), .number("bytes"), .text("made"),
        ])
        for index in indices {
            let made = index.segments.last?.createdAt
            listing.add(
                [
                    index.name, index.columns.joined(separator: ", "), index.kind, index.metric?.rawValue ?? "",
                    "\(index.segments.count)", index.indexedRowCount.grouped, index.unindexedRowCount.grouped,
                    index.sizeInBytes?.grouped ?? "?", made?.shortText ?? "",
                ],
                [
                    ("name", .string(index.name)), ("columns", .array(index.columns.map { .string($0) })),
                    ("kind", .string(index.kind)), ("metric", .optional(index.metric?.rawValue)),
                    ("indexedRows", .count(index.indexedRowCount)), ("unindexedRows", .count(index.unindexedRowCount)),
                    ("bytes", index.sizeInBytes.map { .unsigned($0) } ?? .null),
                    ("segments", .array(index.segments.map { json($0) })),
                ]
            )
        }
        return listing
    }

    private static func json(_ segment: IndexDescription.Segment) -> JSONText {
        .object([
            ("uuid", .string(segment.uuid)), ("fragments", .array(segment.fragments.map { .unsigned($0) })),
            ("datasetVersion", .unsigned(segment.datasetVersion)),
            ("createdAt", .optional(segment.createdAt?.description)),
            ("bytes", segment.sizeInBytes.map { .unsigned($0) } ?? .null),
            ("layoutVersion", .count(segment.layoutVersion)),
        ])
    }
}
