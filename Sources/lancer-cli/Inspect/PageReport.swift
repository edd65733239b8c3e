import Lancer
import LancerEncoding
import LancerFile
import LancerProto
import LancerTable

/// One line for each page of the leaf columns of a table or data file.
struct PageReport {
    private let schema: LanceSchema
    private let paths: [Int32: String]
    /// Columns wanted, dotted names; nil for all.
    private let wanted: [String]?
    /// Bytes of pages that are still decoded to see how large their values are, when no columns were chosen.
    private var decodable: UInt64 = 1 << 30
    private(set) var listing = Listing([
        .number("fragment"), .text("file"), .text("column"), .number("page"), .text("layout"), .text("encoding"),
        .text("layers"),
        .number("rows"), .number("items"), .number("bytes"), .number("ratio"),
    ])

    init(schema: LanceSchema, columns: [String]?) {
        self.schema = schema
        paths = schema.columnPaths
        wanted = columns
    }

    /// All pages of a version of a table.
    static func of(_ dataset: Dataset, columns: [String]?) async throws -> Listing {
        let manifest = dataset.table.manifest
        var report = PageReport(schema: manifest.schema, columns: columns)
        try report.checkColumns()
        for fragment in manifest.fragments {
            for file in fragment.files {
                let path = try Self.path(of: file, manifest, root: dataset.path)
                guard case .file = PathKind(path) else {
                    throw LanceError(.corrupt, "data file \(path) is missing; the table is damaged")
                }
                let source = FileRangeSource(path: path, source: try FileSource(path))
                let reader = try await LanceFileReader.open(source)
                try await report.add(reader, columnOf: try file.columnOfField(), fragment: fragment.id, file: file.path)
            }
        }
        return report.listing
    }

    private static func path(of file: DataFile, _ manifest: Manifest, root: String) throws(LanceError) -> String {
        guard let id = file.baseID else { return "\(root)/data/\(file.path)" }
        let base = try manifest.basePath(id)
        return base.isDatasetRoot ? "\(base.path)/data/\(file.path)" : "\(base.path)/\(file.path)"
    }

    /// - Throws: `notFound` for a column that the schema does not have.
    func checkColumns() throws(LanceError) {
        for name in wanted ?? [] where !paths.values.contains(name) {
            throw LanceError(.notFound, "there is no column \"\(name)\"; lancer inspect --schema lists them")
        }
    }

    /// Adds the pages of every wanted column of a file, in file order.
    mutating func add(_ reader: LanceFileReader, columnOf: [Int32: Int], fragment: UInt64?, file: String) async throws {
        for leaf in schema.leaves {
            guard let column = columnOf[leaf.id], reader.columns.indices.contains(column) else { continue }
            try await add(reader, leaf, column: column, columnOf: columnOf, fragment: fragment, file: file)
        }
    }

    /// Adds the pages of one column.
    mutating func add(
        _ reader: LanceFileReader,
        _ leaf: LanceField,
        column: Int,
        columnOf: [Int32: Int]?,
        fragment: UInt64?,
        file: String
    ) async throws {
        let name = columnOf == nil ? leaf.name : paths[leaf.id] ?? leaf.name
        // A column stands for everything below it.
        if let wanted, !wanted.contains(where: { name == $0 || name.hasPrefix("\($0).") }) { return }
        for (number, page) in reader.columns[column].pages.enumerated() {
            let layout = try page.layout(reader.version)
            let arrowBytes = await arrowBytes(page, layout, leaf, reader, columnOf)
            let ratio = arrowBytes.map { Double($0) / Double(max(page.sizeInBytes, 1)) }
            let items = layout.itemCount ?? page.rowCount
            listing.add(
                [
                    fragment.map(String.init) ?? "", file, name, "\(number)", layout.structuralName,
                    layout.encodingText,
                    layout.layerText, page.rowCount.grouped, items.grouped, page.sizeInBytes.grouped,
                    page.sizeInBytes > 0 ? ratio?.fixed(2) ?? "" : "",
                ],
                [
                    ("fragment", fragment.map { .unsigned($0) } ?? .null), ("file", .string(file)),
                    ("column", .string(name)), ("page", .count(number)), ("layout", .string(layout.structuralName)),
                    ("encoding", .string(layout.encodingText)), ("layers", .string(layout.layerText)),
                    ("rows", .count(page.rowCount)), ("items", .count(items)), ("bytes", .unsigned(page.sizeInBytes)),
                    ("arrowBytes", arrowBytes.map { .count($0) } ?? .null),
                ]
            )
        }
    }

    /// Bytes the page's values take as Arrow arrays. Known from the type when the column is flat and of fixed width;
    /// else the page is decoded, in a large table only when columns were chosen, because that may take long. Nil: not
    /// known.
    private mutating func arrowBytes(
        _ page: PageInfo,
        _ layout: PageLayout,
        _ leaf: LanceField,
        _ reader: LanceFileReader,
        _ columnOf: [Int32: Int]?
    ) async -> Int? {
        if let bits = leaf.type.fixedBits, schema.fields.contains(where: { $0.id == leaf.id }) {
            let nulls = layout.layers.contains(.nullableItem) ? (page.rowCount + 7) / 8 : 0
            let (product, overflow) = page.rowCount.multipliedReportingOverflow(by: bits)
            return overflow ? nil : product / 8 + nulls
        }
        guard wanted != nil || page.sizeInBytes <= decodable, let columnOf,
            let field = schema.fields.lazy.compactMap({ $0.pruned(to: leaf.id) }).first,
            let slots = schema.leafLayouts.first(where: { $0.field.id == leaf.id })?.slotsPerRow, slots > 0
        else { return nil }
        if wanted == nil { decodable -= page.sizeInBytes }
        let rows = (page.firstRow / slots)..<((page.firstRow + page.rowCount) / slots)
        // A page that cannot be decoded is still listed.
        return try? await reader.read([field], columnOf: columnOf, rows: rows).first?.sizeInBytes
    }
}

extension PageLayout {
    /// Values in the page; nil when the layout does not say.
    fileprivate var itemCount: Int? {
        switch self {
        case .miniBlock(let layout): layout.itemCount
        case .fullZip(let layout): layout.visibleItemCount
        case .constant: nil
        case .blob(let inner, _): inner.itemCount
        }
    }
}

extension LanceField {
    /// The field with only the branch that leads to the field `id`; nil when it is not below, or cannot be cut.
    fileprivate func pruned(to id: Int32) -> LanceField? {
        if self.id == id { return self }
        for child in children {
            if let branch = child.pruned(to: id) { return try? withChildren([branch]) }
        }
        return nil
    }
}

extension ArrowType {
    /// Bits of one value if all have the same, vectors included.
    fileprivate var fixedBits: Int? {
        switch self {
        case .bool: 1
        case .fixedSizeList(let item, let size):
            item.type.fixedBits.map { $0.multipliedReportingOverflow(by: size).partialValue }
        case .dictionary: nil
        default: bitWidth
        }
    }
}
