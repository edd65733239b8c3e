import ArgumentParser
import Lancer

/// `COLUMN` or `COLUMN=LENGTH` of `--vector`.
struct VectorColumn: ExpressibleByArgument {
    let name: String
    let length: Int?

    init?(argument: String) {
        if argument.isEmpty { return nil }
        if let equals = argument.lastIndex(of: "="), let length = Int(argument[argument.index(after: equals)...]) {
            guard length > 0, equals != argument.startIndex else { return nil }
            name = String(argument[..<equals])
            self.length = length
        } else {
            name = argument
            length = nil
        }
    }
}

/// Another source whose lists of one length become vectors.
struct VectorizedBatches: BatchSource {
    let schema: ArrowSchema
    private var base: any BatchSource
    /// Batches read to find the lengths.
    private var pending: [RecordBatch] = []
    /// Length of each column's vectors, by the column's place.
    private let lengths: [Int: Int]
    /// Most memory of batches that are looked at before a length is found.
    private static let lookAhead = 256 << 20

    /// Reads until every column has shown a list that is not null.
    ///
    /// - Throws: `notFound` for unknown columns, `schemaMismatch` for columns that are no lists or whose lists differ.
    init(_ source: any BatchSource, _ columns: [VectorColumn]) async throws {
        base = source
        let all = source.schema
        var lengths: [Int: Int] = [:]
        var unknown: [Int] = []
        for column in columns {
            guard let index = all.index(of: column.name) else {
                let names = all.fields.prefix(20).map(\.name).joined(separator: ", ")
                throw LanceError(.notFound, "--vector: there is no column \"\(column.name)\"; the columns are \(names)")
            }
            switch all.fields[index].type {
            case .list, .largeList: break
            case .fixedSizeList(_, let size) where column.length ?? size == size: continue
            default:
                throw LanceError(
                    .schemaMismatch,
                    "--vector: column \"\(column.name)\" is \(all.fields[index].type) and cannot become vectors"
                )
            }
            if let length = column.length { lengths[index] = length } else { unknown.append(index) }
        }
        var bytes = 0
        while !unknown.isEmpty {
            let batch = try await base.next()
            if let batch {
                pending.append(batch)
                bytes += batch.sizeInBytes
                for index in unknown { lengths[index] = Self.firstLength(batch.columns[index]) }
                unknown.removeAll { lengths[$0] != nil }
            }
            guard unknown.isEmpty || (batch != nil && bytes < Self.lookAhead) else {
                let name = all.fields[unknown[0]].name
                throw LanceError(
                    .schemaMismatch,
                    "--vector: column \"\(name)\" begins with nulls only; give the length: --vector \(name)=N"
                )
            }
        }
        self.lengths = lengths
        var fields = all.fields
        for (index, length) in lengths {
            guard let item = fields[index].type.children.first else { continue }
            fields[index].type = .fixedSizeList(item, length)
        }
        schema = ArrowSchema(fields, metadata: all.metadata)
    }

    var rowsExpected: Int? { base.rowsExpected }

    private static func firstLength(_ array: ArrowArray) -> Int? {
        guard case .list(let offsets, _) = array.storage else { return nil }
        let width = array.type.offsetWidth ?? 4
        for index in 0..<array.length where !array.isNull(index) {
            return offset(offsets, index + 1, width) - offset(offsets, index, width)
        }
        return nil
    }

    private static func offset(_ offsets: ArrowBuffer, _ index: Int, _ width: Int) -> Int {
        offsets.withUnsafeBytes { bytes in
            width == 4
                ? Int(bytes.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
                : Int(bytes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
        }
    }

    mutating func next() async throws -> RecordBatch? {
        let batch: RecordBatch
        if !pending.isEmpty {
            batch = pending.removeFirst()
        } else if let more = try await base.next() {
            batch = more
        } else {
            return nil
        }
        var columns = batch.columns
        for (index, length) in lengths {
            columns[index] = try Self.vectors(columns[index], schema.fields[index], length)
        }
        return try RecordBatch(schema: schema, columns: columns, rowCount: batch.rowCount)
    }

    private static func vectors(_ array: ArrowArray, _ field: ArrowField, _ size: Int) throws(LanceError) -> ArrowArray
    {
        guard case .list(let offsets, let child) = array.storage else { return array }
        let width = array.type.offsetWidth ?? 4
        var isDense = true
        var next = array.length == 0 ? 0 : offset(offsets, 0, width)
        let first = next
        for index in 0..<array.length {
            let start = offset(offsets, index, width)
            if array.isNull(index) {
                isDense = false
                continue
            }
            let count = offset(offsets, index + 1, width) - start
            guard count == size else {
                throw LanceError(
                    .schemaMismatch,
                    "--vector: column \"\(field.name)\" has a list of \(count) values among lists of \(size)"
                )
            }
            if start != next { isDense = false }
            next = start + count
        }
        let items: ArrowArray
        if isDense {
            items = child.slice(first..<next)
        } else {
            var places: [Int] = []
            places.reserveCapacity(array.length * size)
            for index in 0..<array.length {
                // A null vector has items, too; they are null where that is allowed.
                let start = offset(offsets, index, width)
                if array.isNull(index) {
                    places.append(contentsOf: repeatElement(-1, count: size))
                } else {
                    places.append(contentsOf: start..<(start + size))
                }
            }
            items = try child.gather(places)
        }
        return ArrowArray(
            type: field.type,
            length: array.length,
            validity: array.validity,
            storage: .fixedSizeList(child: items)
        )
    }
}
