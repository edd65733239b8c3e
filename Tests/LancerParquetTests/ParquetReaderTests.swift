import LancerArrow
import LancerBytes
import LancerParquet
import Testing

@Suite("Reading Parquet files")
struct ParquetReaderTests {
    @Test("files of pyarrow and odd ones read as what they hold", arguments: ParquetVectors.names)
    func vectors(name: String) throws {
        let expected = try ParquetVectors.expected(name)
        let bytes = try ParquetVectors.file("\(name).parquet")
        for rows in [1, 2, 7, 1 << 16] {
            for isParallel in [true, false] {
                var options = ParquetReadOptions()
                options.batchRows = rows
                options.isParallel = isParallel
                let read = try ParquetVectors.read(bytes, options: options)
                #expect(read.rowCount == expected.rowCount)
                #expect(read.schema.fields == expected.schema.fields)
                for (field, (got, wanted)) in zip(expected.schema.fields, zip(read.columns, expected.columns)) {
                    #expect(got.isEqual(to: wanted), "column \(field.name) in batches of \(rows) rows")
                }
            }
        }
    }

    @Test("rows without columns are counted")
    func rowsWithoutColumns() throws {
        let read = try ParquetVectors.read(try ParquetVectors.file("rows-without-columns.parquet"))
        #expect(read.rowCount == 7)
        #expect(read.columns.isEmpty)
    }

    @Test("columns are chosen by name, in the order asked for")
    func projection() throws {
        let expected = try ParquetVectors.expected("mixed-zstd")
        var options = ParquetReadOptions()
        options.columns = ["text", "deep"]
        let read = try ParquetVectors.read(try ParquetVectors.file("mixed-zstd.parquet"), options: options)
        #expect(read.schema.fields.map(\.name) == ["text", "deep"])
        for (field, got) in zip(read.schema.fields, read.columns) {
            let wanted = try #require(expected.column(field.name))
            #expect(got.isEqual(to: wanted))
        }
        options.columns = ["no such"]
        #expect(throws: LanceError(.notFound, "")) {
            _ = try ParquetVectors.read(try ParquetVectors.file("mixed-zstd.parquet"), options: options)
        }
    }

    @Test("a batch ends early where its bytes reach the budget, and no row is lost")
    func budget() throws {
        let expected = try ParquetVectors.expected("encodings")
        var options = ParquetReadOptions()
        options.batchBytes = 1
        let read = try ParquetVectors.read(try ParquetVectors.file("encodings.parquet"), options: options)
        for (got, wanted) in zip(read.columns, expected.columns) { #expect(got.isEqual(to: wanted)) }
    }

    @Test("what is no Parquet file, or an encrypted one, is refused by name")
    func refusals() throws {
        let other = ArrowBuffer(Array("PAR1 but not really a file".utf8))
        #expect(throws: LanceError(.truncated, "")) { _ = try ParquetVectors.read(other) }
        let text = ArrowBuffer(Array("id,name\n1,a text file\n".utf8))
        #expect(throws: LanceError(.corrupt, "")) { _ = try ParquetVectors.read(text) }
        let encrypted = ArrowBuffer(Array("PARE0123456789\u{1}\0\0\0PARE".utf8))
        #expect(throws: LanceError(.unsupported, "")) { _ = try ParquetVectors.read(encrypted) }
    }

    @Test("a page whose checksum does not fit is refused")
    func checksum() throws {
        var bytes = try ParquetVectors.file("groups.parquet").bytes
        let text = Array("zwölf".utf8)
        let place = try #require(
            (0..<(bytes.count - text.count)).first { Array(bytes[$0..<($0 + text.count)]) == text }
        )
        bytes[place] = UInt8(ascii: "Z")
        #expect(throws: LanceError(.corrupt, "")) { _ = try ParquetVectors.read(ArrowBuffer(bytes)) }
    }
}
