import Foundation
import LancerArrow
import LancerBytes
import LancerFile
import LancerIndex
import LancerKernels
import Testing

/// A segment's two files in memory.
struct SegmentBytes {
    var index: ArrowBuffer
    var auxiliary: ArrowBuffer

    func open(
        element: VectorElementType? = nil,
        dimension: Int? = nil,
        cache: PartitionCache = PartitionCache(byteLimit: 64 << 20)
    ) async throws -> VectorIndexSegment {
        try await VectorIndexSegment.open(
            index: MemoryRangeSource(index, path: "index.idx"),
            auxiliary: MemoryRangeSource(auxiliary, path: "auxiliary.idx"),
            element: element,
            dimension: dimension,
            cache: cache
        )
    }
}

/// Small indexes written by pylance, with its answers; see Tests/Vectors/VectorIndex/make.py.
struct PylanceIndex: CustomTestStringConvertible {
    struct Answer {
        var query: [Float]
        var rowIDs: [UInt64]
        var distances: [Float]
    }

    static let all = [
        "IVF_FLAT-l2-float32", "IVF_FLAT-cosine-float16", "IVF_PQ-l2-float32", "IVF_PQ-cosine-float32",
        "IVF_SQ-cosine-float64", "IVF_HNSW_FLAT-dot-float32", "IVF_HNSW_SQ-l2-float32", "IVF_HNSW_PQ-cosine-float16",
    ].map { PylanceIndex(name: $0) }

    static let probes = 2
    let name: String

    var testDescription: String { name }
    var kind: String { String(name.prefix { $0 != "-" }) }

    private static func read(_ name: String) throws -> Data {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Data(contentsOf: tests.appendingPathComponent("Vectors/VectorIndex/\(name)"))
    }

    func bytes() throws -> SegmentBytes {
        func buffer(_ part: String) throws -> ArrowBuffer {
            try Self.read("\(name).\(part).idx").withUnsafeBytes { ArrowBuffer(copying: $0) }
        }
        return SegmentBytes(index: try buffer("index"), auxiliary: try buffer("auxiliary"))
    }

    func answers() throws -> [Answer] {
        String(decoding: try Self.read("\(name).expected"), as: UTF8.self).split(separator: "\n").map { line in
            let parts = line.split(separator: "|").map { $0.split(separator: " ") }
            return Answer(
                query: parts[0].map { Float(Double($0) ?? .nan) },
                rowIDs: parts[1].compactMap { UInt64($0) },
                distances: parts[2].map { Float(Double($0) ?? .nan) }
            )
        }
    }
}

/// Rows of numbers as the source of an index; row r has id r · `step` + `first`.
struct RowsSource: VectorSource {
    let values: ArrowBuffer
    let width: Int
    var validity: Bitmap?
    var first: UInt64 = 0
    var step: UInt64 = 1
    var blockRows = 700

    /// Rows of floats as numbers of an element type.
    init(_ floats: [Float], dimension: Int, element: VectorElementType) {
        width = dimension * element.byteCount
        switch element {
        case .float16: values = ArrowBuffer(floats.map { HalfFloat.bits(Double($0)) })
        case .float32: values = ArrowBuffer(floats)
        case .float64: values = ArrowBuffer(floats.map { Double($0) })
        }
    }

    var rowCount: Int { values.count / width }

    func block(_ rows: [Int]) -> VectorBlock {
        var bytes = BufferBuilder()
        for row in rows { bytes.append(contentsOf: values.slice(row * width..<(row + 1) * width)) }
        return VectorBlock(
            rowIDs: rows.map { UInt64($0) * step + first },
            values: bytes.finish(),
            validity: validity.map { bits in Bitmap(rows.map { bits[$0] }) }
        )
    }

    func sample(_ count: Int, seed: UInt64) async throws -> VectorBlock {
        var random = SeededRandom(seed: seed)
        return block(random.sample(count, of: rowCount))
    }

    func forEachBlock(_ body: (VectorBlock) async throws -> Void) async throws {
        for start in stride(from: 0, to: rowCount, by: blockRows) {
            try await body(block(Array(start..<min(rowCount, start + blockRows))))
        }
    }
}

/// Scratch files in memory, counted.
final class CountingScratch: ScratchSpace, @unchecked Sendable {
    // Used by one task.
    var made = 0
    var removed = 0

    func makeFile() throws(LanceError) -> any ScratchFile {
        made += 1
        return File(self)
    }

    final class File: ScratchFile {
        private let owner: CountingScratch
        private var bytes: [UInt8] = []

        init(_ owner: CountingScratch) { self.owner = owner }

        func append(_ more: UnsafeRawBufferPointer) throws(LanceError) { bytes.append(contentsOf: more) }

        func read(offset: Int, count: Int) throws(LanceError) -> ArrowBuffer {
            ArrowBuffer(Array(bytes[offset..<offset + count]))
        }

        func remove() { owner.removed += 1 }
    }
}

/// Builds of indexes in memory.
enum MemoryIndex {
    static func build(
        _ source: RowsSource,
        _ parameters: VectorIndexParameters,
        memoryLimit: Int = 256 << 20,
        scratch: CountingScratch = CountingScratch()
    ) async throws -> (bytes: SegmentBytes, built: BuiltVectorIndex) {
        let model = try await VectorIndexBuilder.train(source, parameters)
        return try await build(model, source, parameters, memoryLimit: memoryLimit, scratch: scratch)
    }

    static func build(
        _ model: VectorIndexModel,
        _ source: RowsSource,
        _ parameters: VectorIndexParameters,
        memoryLimit: Int = 256 << 20,
        scratch: CountingScratch = CountingScratch()
    ) async throws -> (bytes: SegmentBytes, built: BuiltVectorIndex) {
        let index = MemorySink()
        let auxiliary = MemorySink()
        let built = try await VectorIndexBuilder.build(
            model,
            source,
            to: SegmentSinks(index: index, auxiliary: auxiliary, scratch: scratch),
            with: BuildMeans(memoryLimit: memoryLimit, threads: parameters.threads)
        )
        return (SegmentBytes(index: index.buffer, auxiliary: auxiliary.buffer), built)
    }

    static func combine(
        _ segments: [VectorIndexSegment],
        adding source: RowsSource? = nil,
        remap: @escaping @Sendable (UInt64) -> UInt64? = { $0 }
    ) async throws -> (bytes: SegmentBytes, built: BuiltVectorIndex) {
        let index = MemorySink()
        let auxiliary = MemorySink()
        let built = try await VectorIndexBuilder.combine(
            segments,
            adding: source,
            remap: { remap($1) },
            to: SegmentSinks(index: index, auxiliary: auxiliary, scratch: CountingScratch()),
            with: BuildMeans(memoryLimit: 256 << 20, threads: 2)
        )
        return (SegmentBytes(index: index.buffer, auxiliary: auxiliary.buffer), built)
    }
}
