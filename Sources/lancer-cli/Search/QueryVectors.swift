import ArgumentParser
import Lancer
import LancerInterchange
import LancerTable

/// The vectors that `lancer search` looks for.
struct QueryOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Vectors in a .npy file: one (1-d), or a row each (2-d); float16, float32 or float64.",
            valueName: "file.npy"
        )
    )
    var query: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("A vector as JSON: '[0.1, -0.2, …]'; a list of lists is several.", valueName: "json")
    )
    var vector: String?

    @Option(help: ArgumentHelp("The vector of a row of the table, by number as in take.", valueName: "row"))
    var likeRow: Int?

    func validate() throws {
        if [query != nil, vector != nil, likeRow != nil].filter({ $0 }).count != 1 {
            throw ValidationError("Give the query as one of --query FILE.npy, --vector JSON and --like-row N.")
        }
    }

    /// The vectors, and whether they are several, to be numbered.
    ///
    /// - Throws: `invalidArgument` for what is no vector, `notFound`, `io`, `corrupt`.
    func load(_ dataset: Dataset, _ column: String) async throws -> (queries: VectorQueries, isBatch: Bool) {
        if let query { return try Self.npy(query) }
        if let vector { return try Self.json(vector) }
        let row = likeRow ?? 0
        let batch = try await dataset.take([row], columns: [column])
        guard let array = batch.columns.first, !array.isNull(0) else {
            throw LanceError(.invalidArgument, "--like-row \(row): its \"\(column)\" is null")
        }
        return (try VectorQueries(array), false)
    }

    private static func npy(_ path: String) throws -> (queries: VectorQueries, isBatch: Bool) {
        do {
            let reader = try NPYReader(try FileSource(path), name: "query")
            guard (1...2).contains(reader.header.shape.count) else {
                throw LanceError(
                    .invalidArgument,
                    "an array of shape \(reader.header.shape); queries are one vector or a matrix with a row each"
                )
            }
            guard reader.header.type.isFloat else {
                throw LanceError(.invalidArgument, "values of \(reader.header.type); queries are floats")
            }
            let isBatch = reader.header.shape.count == 2
            let array = try reader.read(rows: 0..<reader.rowCount)
            if isBatch { return (try VectorQueries(array), true) }
            // One vector: its numbers are the rows of the file.
            let type = ArrowType.fixedSizeList(ArrowField("item", array.type), array.length)
            guard array.length > 0 else { throw LanceError(.invalidArgument, "the vector is empty") }
            let list = ArrowArray(type: type, length: 1, storage: .fixedSizeList(child: array))
            return (try VectorQueries(list), false)
        } catch let error as LanceError {
            // What the file itself says names it already.
            throw error.message.hasPrefix(path) ? error : error.located(file: path)
        }
    }

    private static func json(_ text: String) throws(LanceError) -> (queries: VectorQueries, isBatch: Bool) {
        var parser = VectorText(text)
        return try parser.parse()
    }
}

/// Reads a JSON list of numbers, or a list of such lists.
private struct VectorText {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func parse() throws(LanceError) -> (queries: VectorQueries, isBatch: Bool) {
        try expect("[")
        skipSpace()
        var rows: [[Double]] = []
        var isBatch = false
        if peek == UInt8(ascii: "[") {
            isBatch = true
            repeat {
                try expect("[")
                rows.append(try numbers())
            } while accept(",")
            try expect("]")
        } else {
            rows = [try numbers()]
        }
        skipSpace()
        guard position == bytes.count else { throw failure("more follows") }
        guard let first = rows.first, !first.isEmpty else { throw failure("a vector has at least one number") }
        return (try VectorQueries(rows), isBatch)
    }

    private mutating func numbers() throws(LanceError) -> [Double] {
        var result: [Double] = []
        if accept("]") { return result }
        repeat { result.append(try number()) } while accept(",")
        try expect("]")
        return result
    }

    private mutating func number() throws(LanceError) -> Double {
        skipSpace()
        let start = position
        while let byte = peek, byte != UInt8(ascii: ","), byte != UInt8(ascii: "]"), !Self.isSpace(byte) {
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text) else {
            let shown = text.count > 40 ? "\(text.prefix(40))…" : text
            throw failure(text.isEmpty ? "a number is missing" : "\"\(shown)\" is no number")
        }
        return value
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private mutating func skipSpace() {
        while let byte = peek, Self.isSpace(byte) { position += 1 }
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(LanceError) {
        if !accept(character) { throw failure("a \"\(character)\" is missing") }
    }

    private func failure(_ what: String) -> LanceError {
        LanceError(
            .invalidArgument,
            "--vector: \(what) at character \(position + 1); write for example '[0.5, -1, 2e-3]'"
        )
    }
}
