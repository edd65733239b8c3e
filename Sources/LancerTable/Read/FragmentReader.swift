import LancerArrow
import LancerBytes
import LancerFile

/// Reads columns of one fragment, whichever of its files they are in.
///
/// A column that no file has is null throughout; a nested column may be spread over several files and is put together.
struct FragmentReader: Sendable {
    /// What is read from one file.
    private struct Part: Sendable {
        var file: OpenedFile
        /// For each field read from the file: its position in ``fields``, and the field without what other files have.
        var slots: [(field: Int, pruned: LanceField)]
    }

    private let fields: [LanceField]
    /// The file that has everything, which is the usual case; ``parts`` are empty then.
    private let onlyFile: OpenedFile?
    private let parts: [Part]

    /// Opens the files that hold the projection's fields.
    init(_ fragment: Fragment, _ projection: Projection, _ manifest: Manifest, _ files: TableFiles) async throws {
        try await self.init(fragment, projection.fields, leafIDs: projection.leafIDs, manifest, files)
    }

    /// Opens the files that hold some fields.
    init(_ fragment: Fragment, _ fields: [LanceField], _ manifest: Manifest, _ files: TableFiles) async throws {
        try await self.init(fragment, fields, leafIDs: fields.flatMap(\.leaves).map(\.id), manifest, files)
    }

    private init(
        _ fragment: Fragment,
        _ fields: [LanceField],
        leafIDs: [Int32],
        _ manifest: Manifest,
        _ files: TableFiles
    ) async throws {
        self.fields = fields
        let entries = fragment.files
        if entries.count == 1 {
            let file = try await files.open(entries[0], of: fragment, manifest)
            if leafIDs.allSatisfy({ file.columnOf[$0] != nil }) {
                onlyFile = file
                parts = []
                return
            }
            onlyFile = nil
            let slots = try Self.slots(fields) { file.columnOf[$0.id] != nil }
            parts = slots.isEmpty ? [] : [Part(file: file, slots: slots)]
            return
        }
        onlyFile = nil
        // The newest file that has a field holds its values.
        var owner: [Int32: Int] = [:]
        for (index, file) in entries.enumerated() {
            for id in file.fieldIDs where id >= 0 { owner[id] = index }
        }
        var parts: [Part] = []
        for (index, entry) in entries.enumerated() {
            let slots = try Self.slots(fields) { owner[$0.id] == index }
            if slots.isEmpty { continue }
            parts.append(Part(file: try await files.open(entry, of: fragment, manifest), slots: slots))
        }
        self.parts = parts
    }

    private init(fields: [LanceField], onlyFile: OpenedFile?, parts: [Part]) {
        self.fields = fields
        self.onlyFile = onlyFile
        self.parts = parts
    }

    /// A reader of those fields whose position `isKept`; nil for none.
    func only(where isKept: (Int) -> Bool) -> FragmentReader? {
        let kept = fields.indices.filter(isKept)
        if kept.count == fields.count { return self }
        if kept.isEmpty { return nil }
        let positions = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
        let parts = parts.compactMap { part -> Part? in
            let slots = part.slots.compactMap { slot in
                positions[slot.field].map { (field: $0, pruned: slot.pruned) }
            }
            return slots.isEmpty ? nil : Part(file: part.file, slots: slots)
        }
        return FragmentReader(fields: kept.map { fields[$0] }, onlyFile: onlyFile, parts: parts)
    }

    private static func slots(
        _ fields: [LanceField],
        where isHere: (LanceField) -> Bool
    ) throws(LanceError) -> [(field: Int, pruned: LanceField)] {
        var slots: [(field: Int, pruned: LanceField)] = []
        for (index, field) in fields.enumerated() {
            if let pruned = try field.leavesPruned(where: isHere) { slots.append((index, pruned)) }
        }
        return slots
    }

    /// For each field the share of rows below which taking them one by one costs less than reading all and choosing.
    ///
    /// A single value costs about 0.5 µs, whatever its width. Reading everything costs 0.1 ns a byte of fixed width, which
    /// is copied, and twenty times as much a byte of stored text or list, which is decoded (measured on 1M rows: a tenth
    /// of long texts is taken in 58 ms and chosen in 90, a tenth of three numbers in 63 and in 4).
    func sparseShares() -> [Double] {
        fields.enumerated().map { index, field in
            let file = onlyFile ?? parts.first { $0.slots.contains { $0.field == index } }?.file
            var share = 0.0
            for leaf in field.leaves {
                guard let file, let column = file.columnOf[leaf.id], file.reader.columns.indices.contains(column) else {
                    continue
                }
                let stored = file.reader.columns[column].storedBytesPerRow
                share += stored / (leaf.type.isVariableWidth ? 260 : 6000)
            }
            return Swift.min(Swift.max(share / Double(Swift.max(field.leaves.count, 1)), 1.0 / 256), 1.0 / 4)
        }
    }

    /// Ends of the pages of the column that has most of the bytes, by row of the fragment; none when no column has.
    func widestPageEnds() -> [Int] {
        guard let onlyFile else { return [] }
        let columns = fields.flatMap(\.leaves).compactMap { onlyFile.columnOf[$0.id] }
            .filter { onlyFile.reader.columns.indices.contains($0) }.map { onlyFile.reader.columns[$0] }
        let all = columns.reduce(0) { $0 + $1.storedBytesPerRow * Double($1.rowCount) }
        guard let widest = columns.max(by: { $0.storedBytesPerRow < $1.storedBytesPerRow }),
            widest.storedBytesPerRow * Double(widest.rowCount) >= 0.75 * all,
            // Not inside a fixed-size list of structs, where a row is many of the column's.
            widest.rowCount == onlyFile.reader.rowCount
        else { return [] }
        return widest.pages.map { $0.firstRow + $0.rowCount }
    }

    /// The fields' values of rows `rows`, deleted ones included.
    func read(_ rows: Range<Int>) async throws -> [ArrowArray] {
        try await assemble(rowCount: rows.count) { file, pruned in
            try await file.scanReader.read(pruned, columnOf: file.columnOf, rows: rows)
        }
    }

    /// The fields' values of single rows, in the order given.
    ///
    /// - Parameters:
    ///   - asScan: Whether blocks are compared with their checksums as in a scan.
    ///   - dividing: Whether many rows are read in several tasks.
    func take(_ rows: [Int], asScan: Bool = false, dividing: Bool = true) async throws -> [ArrowArray] {
        try await assemble(rowCount: rows.count) { file, pruned in
            try await (asScan ? file.scanReader : file.reader).take(
                pruned,
                columnOf: file.columnOf,
                rows: rows,
                dividing: dividing
            )
        }
    }

    private static func check(
        _ array: ArrowArray,
        _ field: LanceField,
        _ rowCount: Int,
        _ file: OpenedFile
    ) throws(LanceError) {
        guard array.length == rowCount else {
            throw .corrupt("column \"\(field.name)\" gave \(array.length) rows of \(rowCount)").located(file: file.path)
        }
    }

    private func assemble(
        rowCount: Int,
        _ read: (OpenedFile, [LanceField]) async throws -> [ArrowArray]
    ) async throws -> [ArrowArray] {
        if let onlyFile {
            let arrays = try await read(onlyFile, fields)
            for (field, array) in zip(fields, arrays) { try Self.check(array, field, rowCount, onlyFile) }
            return arrays
        }
        var pieces = [[ColumnPiece]](repeating: [], count: fields.count)
        for part in parts {
            let arrays = try await read(part.file, part.slots.map(\.pruned))
            for (slot, array) in zip(part.slots, arrays) {
                try Self.check(array, slot.pruned, rowCount, part.file)
                pieces[slot.field].append(ColumnPiece(field: slot.pruned, array: array))
            }
        }
        var results: [ArrowArray] = []
        for (field, pieces) in zip(fields, pieces) {
            results.append(try ColumnPiece.join(pieces, as: field, length: rowCount))
        }
        return results
    }
}

extension LanceField {
    /// The field with only those of its leaves for which `isHere` holds, or nil when there are none.
    fileprivate func leavesPruned(where isHere: (LanceField) -> Bool) throws(LanceError) -> LanceField? {
        if isLeaf { return isHere(self) ? self : nil }
        var kept: [LanceField] = []
        var isWhole = true
        for child in children {
            guard let part = try child.leavesPruned(where: isHere) else {
                isWhole = false
                continue
            }
            if part.children.count != child.children.count { isWhole = false }
            kept.append(part)
        }
        if kept.isEmpty { return nil }
        return isWhole && kept == children ? self : try withChildren(kept)
    }
}

extension ArrowType {
    /// Text and binary data.
    fileprivate var isVariableWidth: Bool {
        switch self {
        case .utf8, .largeUtf8, .binary, .largeBinary: true
        default: false
        }
    }
}
