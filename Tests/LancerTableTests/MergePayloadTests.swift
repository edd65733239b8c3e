import LancerArrow
import LancerBytes
import LancerStorage
import LancerTable
import LancerTestSupport
import Testing

/// Merges of columns of any type: values are moved, never looked at.
@Suite("What a merge moves")
struct MergePayloadTests {
    @Test("values of any type arrive whole, from the source and from the table", arguments: 0..<60)
    func anyType(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        var types = RandomTypes()
        types.depth = 2
        // Whether items of fixed-size lists may be null is not stored.
        types.requiredRate = 0
        let count = random.int(1...50)
        let old = try RandomArrays().batch(columns: 3, rows: count, types: types, &random)
        let fields = old.schema.fields.map { ArrowField($0.name, $0.type, nullable: true) }
        let schema = ArrowSchema([ArrowField("k", .int64)] + fields)
        let keys = (0..<count).map { Int64($0) }
        let target = try RecordBatch(schema: schema, columns: [.int64(keys)] + old.columns, rowCount: count)
        var options = try TableFixture.options(rowsPerFile: random.int(5...60))
        options.stableRowIDs = random.chance(0.3)
        let table: Table
        do {
            table = try await Table.create(MemoryStore(), from: ReaderSource(BatchList(target)), options)
        } catch let error as LanceError where error.code == .unsupported {
            return
        }
        // Some rows of the table in any order, and as many new ones; sometimes without one of the columns.
        let sourceKeys = (keys.filter { _ in random.chance(0.5) } + (1000..<1010)).shuffled(using: &random)
        let missing = random.chance(0.5) ? random.int(0...2) : nil
        let new = fields.map { RandomArrays().array($0, length: sourceKeys.count, &random) }
        let present = (0..<3).filter { $0 != missing }
        let source = try RecordBatch(
            schema: ArrowSchema([schema.fields[0]] + present.map { fields[$0] }),
            columns: [.int64(sourceKeys)] + present.map { new[$0] },
            rowCount: sourceKeys.count
        )
        let rows = try await CollectedRows(ReaderSource(BatchList(source)), byteLimit: 1 << 30)
        let (merged, counts) = try await table.merge(rows, on: ["k"], MergeTests.upsert, try MergeTests.options())
        #expect(counts.inserted == 10 && counts.updated == sourceKeys.count - 10)

        let projection = try Projection(nil, of: merged.manifest.schema)
        let scan = try TableScan(table: merged, projection: projection, offset: 0, limit: nil, batchRows: nil)
        let iterator = scan.makeIterator()
        var batches: [RecordBatch] = []
        while let batch = try await iterator.next() { batches.append(batch) }
        let result = try RecordBatch.concatenating(batches)
        let kept = keys.indices.filter { !sourceKeys.contains(keys[$0]) }
        let updated = sourceKeys.indices.filter { sourceKeys[$0] < 1000 }
        let inserted = sourceKeys.indices.filter { sourceKeys[$0] >= 1000 }
        for column in 0..<3 {
            let moved =
                column == missing
                ? try old.columns[column].gather(updated.map { Int(sourceKeys[$0]) }) : try new[column].gather(updated)
            let added =
                column == missing
                ? ArrowArray.nulls(type: fields[column].type, length: 10) : try new[column].gather(inserted)
            let expected = try ArrowArray.concatenating([try old.columns[column].gather(kept), moved, added])
            let difference = result.columns[column + 1].firstDifference(from: expected)
            #expect(difference == nil, "seed \(seed): \(fields[column].type)")
        }
    }

    @Test("sources of many megabytes are looked up batch by batch")
    func manyBatches() async throws {
        let schema = ArrowSchema([ArrowField("k", .int64), ArrowField("b", .binary)])
        func value(_ key: Int64, _ mark: UInt8) -> [UInt8] {
            [mark] + [UInt8](repeating: UInt8(key % 251), count: 1 << 20)
        }
        func batch(_ keys: [Int64], _ mark: UInt8) throws -> RecordBatch {
            let values = keys.map { value($0, mark) as [UInt8]? }
            return try RecordBatch(schema: schema, columns: [.int64(keys), .binary(values)])
        }
        let target = BatchList(try batch(Array(0..<6), 0))
        let table = try await Table.create(MemoryStore(), from: ReaderSource(target), try TableFixture.options())
        let groups: [[Int64]] = [[20, 3, 21, 5, 22], [1, 23, 24, 25, 26], [0, 27]]
        let source = BatchList(schema, try groups.map { try batch($0, 1) })
        let rows = try await CollectedRows(ReaderSource(source), byteLimit: 1 << 30)
        let merged = try await table.merge(rows, on: ["k"], MergeTests.upsert, try MergeTests.options()).table
        let result = try await MergeTests.rows(merged)
        let order: [Int64] = [2, 4, 3, 5, 1, 0, 20, 21, 22, 23, 24, 25, 26, 27]
        #expect(result.map { $0[0] } == order.map { ArrowValue.int($0) })
        for row in result {
            guard case .int(let key) = row[0] else { continue }
            #expect(row[1] == .bytes(value(key, [2, 4].contains(key) ? 0 : 1)))
        }
    }
}
