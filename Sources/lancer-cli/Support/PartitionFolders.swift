import Lancer

/// A Parquet file and what the names of the folders around it say.
struct PartitionedFile {
    let path: String
    /// `column=value` folders from the outermost in; nil for a null.
    var values: [(name: String, value: String?)] = []
}

/// Folders named `column=value`, as Spark, Hive, DuckDB, Polars and pyarrow write them: the column is in no file.
enum PartitionFolders {
    /// What stands for a null.
    private static let null = "__HIVE_DEFAULT_PARTITION__"
    private static let deepest = 32

    /// The Parquet files in a folder, or in the partition folders in it, by name.
    ///
    /// - Throws: `schemaMismatch` for a folder with both, `limitExceeded` for folders without end.
    static func files(_ path: String) throws(LanceError) -> [PartitionedFile] {
        var result: [PartitionedFile] = []
        try collect(path, [], into: &result)
        return result
    }

    private static func collect(
        _ path: String,
        _ values: [(name: String, value: String?)],
        into result: inout [PartitionedFile]
    ) throws(LanceError) {
        guard values.count < deepest else { throw LanceError(.limitExceeded, "\(path): partition folders without end") }
        let here = ParquetFiles.direct(path)
        let folders = folders(path)
        guard here.isEmpty || folders.isEmpty else {
            throw LanceError(
                .schemaMismatch,
                "\(path) has Parquet files and partition folders such as \(folders[0].name)=…; name those you want"
            )
        }
        result += here.map { PartitionedFile(path: $0, values: values) }
        for folder in folders {
            try collect(folder.path, values + [(folder.name, folder.value)], into: &result)
        }
    }

    /// Whether a folder has partition folders in it.
    static func areIn(_ path: String) -> Bool { !folders(path).isEmpty }

    private static func folders(_ path: String) -> [(path: String, name: String, value: String?)] {
        directoryEntries(path).compactMap { entry in
            guard let equals = entry.firstIndex(of: "="), equals != entry.startIndex, !entry.hasPrefix("."),
                case .directory = PathKind("\(path)/\(entry)")
            else { return nil }
            let value = decoded(entry[entry.index(after: equals)...])
            return ("\(path)/\(entry)", decoded(entry[..<equals]), value == null ? nil : value)
        }
    }

    /// Text with `%` and two hexadecimal digits for bytes that file names cannot have.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        let all = Array(text.utf8)
        var index = 0
        while index < all.count {
            if all[index] == UInt8(ascii: "%"), index + 2 < all.count,
                let byte = UInt8(String(decoding: all[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                index += 3
            } else {
                bytes.append(all[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The columns that the folders of all files say: 64-bit numbers where all values are some, else texts.
    ///
    /// - Throws: `schemaMismatch` when not all files are in folders of the same columns.
    static func fields(_ files: [PartitionedFile]) throws(LanceError) -> [ArrowField] {
        guard let first = files.first else { return [] }
        let names = first.values.map(\.name)
        for file in files where file.values.map(\.name) != names {
            throw LanceError(
                .schemaMismatch,
                "\(file.path) and \(first.path) are in partition folders of different columns"
            )
        }
        return names.indices.map { place in
            let values = files.compactMap { $0.values[place].value }
            let areNumbers = values.allSatisfy { text in Int64(text).map { String($0) == text } ?? false }
            return ArrowField(names[place], areNumbers && !values.isEmpty ? .int64 : .utf8, nullable: true)
        }
    }
}

/// The rows of a file with the columns that its folders say.
struct PartitionReader: RecordBatchReader {
    let schema: ArrowSchema
    private var base: any RecordBatchReader
    /// One value for each column added.
    private let added: [ArrowArray]

    /// - Parameter fields: A column for each of the file's folders; those that the file itself has are left out.
    init(_ base: any RecordBatchReader, _ file: PartitionedFile, _ fields: [ArrowField]) {
        self.base = base
        var all = base.schema.fields
        var added: [ArrowArray] = []
        for (field, folder) in zip(fields, file.values) where base.schema.index(of: field.name) == nil {
            all.append(field)
            added.append(field.type == .int64 ? .int64([folder.value.flatMap { Int64($0) }]) : .utf8([folder.value]))
        }
        self.added = added
        schema = ArrowSchema(all, metadata: base.schema.metadata)
    }

    mutating func next() throws -> RecordBatch? {
        guard let batch = try base.next() else { return nil }
        if added.isEmpty { return batch }
        let places = [Int](repeating: 0, count: batch.rowCount)
        let constant = try added.map { try $0.gather(places) }
        return try RecordBatch(schema: schema, columns: batch.columns + constant, rowCount: batch.rowCount)
    }
}
