import Foundation
import LancerArrow
import LancerBytes
import LancerIndex
import LancerTestSupport
import Testing

/// Damage to the files of indexes that Lancer builds: every place with `LANCER_FULL=1`, else every fifth from a random one.
@Suite("Damaged index files of Lancer's own")
struct OwnIndexDamageTests {
    private static let dimension = 8
    private static let step = ProcessInfo.processInfo.environment["LANCER_FULL"] == "1" ? 1 : 5

    private enum Damage: CaseIterable {
        case cut, inverted

        func apply(_ buffer: ArrowBuffer, _ place: Int) -> ArrowBuffer {
            if self == .cut { return buffer.slice(0..<place) }
            var bytes = buffer.bytes
            bytes[place] = ~bytes[place]
            return ArrowBuffer(bytes)
        }
    }

    private static func files(_ given: IndexCase) async throws -> SegmentBytes {
        // As few rows as codebooks are trained with.
        let rows = given.kind.compression == .product && given.bits == 8 ? 260 : 60
        let data = Clustered(count: rows, dimension: dimension, clusters: 6, spread: 0.4, seed: 3)
        let source = RowsSource(data.floats, dimension: dimension, element: given.element)
        var parameters = given.parameters(dimension)
        parameters.partitions = 2
        return try await MemoryIndex.build(source, parameters).bytes
    }

    /// Opens, searches and reads the whole index.
    ///
    /// - Returns: Whether there was an answer; what else may come is a `LanceError`.
    private static func answers(_ bytes: SegmentBytes, _ given: IndexCase, _ queries: [Float]) async throws -> Bool {
        do {
            let segment = try await bytes.open(element: given.element, dimension: dimension)
            let k = 5
            for list in try await segment.search(queries, SegmentSearchOptions(k: k)) {
                #expect(list.count <= k)
                for (one, next) in zip(list, list.dropFirst()) { #expect(one.distance <= next.distance) }
            }
            try await segment.readAll()
            return true
        } catch is LanceError {
            return false
        }
    }

    @Test("cut files are refused, and with an inverted byte there is an error or an answer", arguments: IndexCase.some)
    func damaged(_ given: IndexCase) async throws {
        let whole = try await Self.files(given)
        let queries = Clustered(count: 2, dimension: Self.dimension, clusters: 6, spread: 0.4, seed: 3, queriesOf: 99)
            .floats
        #expect(try await Self.answers(whole, given, queries))
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        for damage in Damage.allCases {
            var (refused, tried) = (0, 0)
            for isIndex in [true, false] {
                let size = isIndex ? whole.index.count : whole.auxiliary.count
                for place in stride(from: Int.random(in: 0..<Self.step, using: &random), to: size, by: Self.step) {
                    var bytes = whole
                    if isIndex {
                        bytes.index = damage.apply(whole.index, place)
                    } else {
                        bytes.auxiliary = damage.apply(whole.auxiliary, place)
                    }
                    let isAnswered = try await Self.answers(bytes, given, queries)
                    let file = isIndex ? "index.idx" : "auxiliary.idx"
                    if damage == .cut { #expect(!isAnswered, "\(file) cut to \(place) bytes, seed \(seed)") }
                    tried += 1
                    refused += isAnswered ? 0 : 1
                }
            }
            print(
                "OwnIndexDamageTests \(given.testDescription) \(damage), seed \(seed): \(tried) tried, \(refused) refused"
            )
        }
    }
}
