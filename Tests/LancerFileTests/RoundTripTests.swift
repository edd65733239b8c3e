import LancerArrow
import LancerBytes
import LancerFile
import LancerTestSupport
import Testing

/// What is written comes back: random schemas and data through the writer and the reader of both file versions.
@Suite("Files round trip")
struct RoundTripTests {
    /// Writes batches to memory and opens the file.
    static func write(_ batches: [RecordBatch], _ version: FileVersion) async throws -> LanceFileReader {
        let sink = MemorySink()
        let schema = try LanceSchema(arrow: batches[0].schema)
        var writer = try LanceFileWriter(schema: schema, version: version, sink: sink)
        for batch in batches { try writer.write(batch) }
        _ = try writer.finish()
        return try await LanceFileReader.open(MemoryRangeSource(sink.buffer))
    }

    /// The columns of every leaf, in file order.
    static func columnOf(_ schema: LanceSchema) -> [Int32: Int] {
        Dictionary(uniqueKeysWithValues: schema.leaves.enumerated().map { ($1.id, $0) })
    }

    /// A random batch of types that the file version can store and that lose nothing in a schema.
    static func batch(
        _ arrays: RandomArrays,
        _ version: FileVersion,
        columns: Int,
        rows: Int,
        _ random: inout SplitMix64
    ) throws -> RecordBatch {
        let types = RandomTypes()
        let fields = (0..<columns).map { index in
            ArrowField("c\(index)", storable(types.type(&random), version, inList: false), nullable: random.chance(0.8))
        }
        .map { field in field.type == .null ? ArrowField(field.name, .null) : field }
        let columns = fields.map { arrays.array($0, length: rows, &random) }
        return try RecordBatch(schema: ArrowSchema(fields), columns: columns, rowCount: rows)
    }

    /// The type with what Lance cannot store replaced: vectors of text or lists, lists in or around vectors of structs,
    /// and in 2.1 maps and vectors of structs. The items of other vectors are nullable: the schema does not say.
    private static func storable(_ type: ArrowType, _ version: FileVersion, inList: Bool) -> ArrowType {
        func child(_ field: ArrowField, inList: Bool) -> ArrowField {
            let type = storable(field.type, version, inList: inList)
            return ArrowField(field.name, type, nullable: type == .null || field.nullable)
        }
        switch type {
        case .list(let item): return .list(child(item, inList: true))
        case .largeList(let item): return .largeList(child(item, inList: true))
        case .structure(let fields): return .structure(fields.map { child($0, inList: inList) })
        case .map(let entries, let sorted):
            if version == .v2_1 { return .list(ArrowField("item", .int32)) }
            let fields = entries.type.children.map { child($0, inList: true) }
            return .map(ArrowField(entries.name, .structure(fields), nullable: false), keysSorted: sorted)
        case .fixedSizeList(let item, let size):
            if case .structure(let fields) = item.type {
                if version == .v2_2, !inList, fields.allSatisfy({ $0.type.children.isEmpty && $0.type != .null }) {
                    return .fixedSizeList(ArrowField("item", item.type, nullable: item.nullable), size)
                }
                return .fixedSizeList(ArrowField("item", .float32), size)
            }
            let inner = storable(item.type, version, inList: inList)
            switch inner {
            case .fixedSizeList(let nested, _):
                if case .structure = nested.type { return .fixedSizeList(ArrowField("item", .int64), size) }
                return .fixedSizeList(ArrowField("item", inner), size)
            case .utf8, .largeUtf8, .binary, .largeBinary, .null, .list, .largeList, .map, .structure, .dictionary:
                return .fixedSizeList(ArrowField("item", .bool), size)
            default: return .fixedSizeList(ArrowField("item", inner), size)
            }
        case .dictionary(let index, let value, let ordered):
            switch value {
            case .utf8, .largeUtf8, .binary, .int64, .float64: return type
            default: return .dictionary(index: index, value: .utf8, ordered: ordered)
            }
        default: return type
        }
    }

    static func check(_ expected: ArrowArray, _ actual: ArrowArray, _ what: String) {
        do throws(LanceError) {
            try actual.validate()
        } catch {
            Issue.record("\(what): \(error)")
            return
        }
        if let difference = expected.firstDifference(from: actual) { Issue.record("\(what): \(difference)") }
    }

    @Test("random tables come back equal, whole, in ranges and row by row", arguments: FileVersion.allCases)
    func randomTables(version: FileVersion) async throws {
        let rounds = 300
        var written = 0
        for seed in 0..<UInt64(rounds) {
            var random = SplitMix64(seed: seed)
            var arrays = RandomArrays()
            if seed % 5 == 0 { arrays.nullRate = 0 }
            let rows = random.pick([0, 1, 2, 7, 100, 1023, 1024, 1025, 3000])
            let batch = try Self.batch(arrays, version, columns: 3, rows: rows, &random)
            let reader: LanceFileReader
            do {
                reader = try await Self.write([batch], version)
            } catch let error as LanceError where error == LanceError(.unsupported, "") {
                continue
            }
            written += 1
            let fields = reader.schema.fields
            let columnOf = Self.columnOf(reader.schema)
            #expect(reader.rowCount == rows)
            let what = "seed \(seed), version \(version), \(rows) rows"
            do {
                let whole = try await reader.read(fields, columnOf: columnOf, rows: 0..<rows)
                for (index, array) in whole.enumerated() {
                    Self.check(batch.columns[index], array, "\(what), column \(batch.schema.fields[index])")
                }
                let low = random.int(0...rows)
                let range = low..<random.int(low...rows)
                let part = try await reader.read(fields, columnOf: columnOf, rows: range)
                for (index, array) in part.enumerated() {
                    Self.check(batch.columns[index].slice(range), array, "\(what), rows \(range), column \(index)")
                }
                guard rows > 0 else { continue }
                let wanted = (0..<random.int(1...20)).map { _ in random.int(0...(rows - 1)) }
                let taken = try await reader.take(fields, columnOf: columnOf, rows: wanted)
                for (index, array) in taken.enumerated() {
                    Self.check(
                        try batch.columns[index].gather(wanted),
                        array,
                        "\(what), take \(wanted), column \(index)"
                    )
                }
            } catch {
                Issue.record("\(what): \(error); \(batch.schema)")
            }
        }
        print("RoundTripTests: seeds 0..<\(rounds), \(written) tables written in \(version)")
        #expect(written > rounds / 4)
    }
}
