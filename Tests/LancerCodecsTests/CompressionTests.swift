import LancerBytes
import LancerCodecs
import Testing

@Suite("General compression")
struct CompressionTests {
    /// Sizes around the block limits of the libraries.
    private static let sizes = [0, 1, 2, 7, 8, 11, 12, 13, 63, 64, 255, 256, 4095, 65_535, 65_536, 131_073, 400_000]

    private func samples(_ size: Int) -> [[UInt8]] {
        var generator = SeededGenerator(seed: UInt64(size))
        return [
            [UInt8](repeating: 7, count: size), generator.bytes(size), generator.bytes(size, alphabet: 97...100),
        ]
    }

    @Test("LZ4 blocks come back", arguments: sizes)
    func lz4RoundTrip(size: Int) throws {
        for sample in samples(size) {
            let packed = try LZ4Block.compress(ArrowBuffer(sample))
            #expect(try LZ4Block.decompress(packed, uncompressedSize: size).bytes == sample)
            #expect(throws: LanceError(.corrupt, "")) { try LZ4Block.decompress(packed, uncompressedSize: size + 1) }
            if size > 0 {
                #expect(throws: LanceError(.corrupt, "")) {
                    try LZ4Block.decompress(packed, uncompressedSize: size - 1)
                }
            }
        }
    }

    @Test("zstd frames come back", arguments: sizes)
    func zstdRoundTrip(size: Int) throws {
        for sample in samples(size) {
            for level in [-5, 0, 1, 3, 9] {
                let packed = try Zstd.compress(ArrowBuffer(sample), level: level)
                #expect(try Zstd.compress(ArrowBuffer(sample), level: level).bytes == packed.bytes)
                #expect(try Zstd.decompress(packed, uncompressedSize: size).bytes == sample)
                #expect(try Zstd.decompress(packed, limit: size).bytes == sample)
                #expect(throws: LanceError(.corrupt, "")) { try Zstd.decompress(packed, uncompressedSize: size + 1) }
                if size > 0 {
                    #expect(throws: LanceError(.corrupt, "")) {
                        try Zstd.decompress(packed, uncompressedSize: size - 1)
                    }
                    #expect(throws: LanceError(.limitExceeded, "")) { try Zstd.decompress(packed, limit: size - 1) }
                }
            }
        }
    }

    @Test("an impossible size is refused before memory is taken")
    func impossibleSizes() throws {
        let bytes = ArrowBuffer([UInt8](repeating: 1, count: 100))
        for size in [-1, 100 * 255 + 300, 1 << 40, Int.max] {
            #expect(throws: LanceError(.corrupt, "")) { try LZ4Block.decompress(bytes, uncompressedSize: size) }
        }
        for size in [-1, 101 * 32_768, 1 << 40, Int.max] {
            #expect(throws: LanceError(.corrupt, "")) { try Zstd.decompress(bytes, uncompressedSize: size) }
        }
    }

    @Test("two zstd frames behind each other are one text, an empty input none")
    func severalFrames() throws {
        let first = try Zstd.compress(ArrowBuffer(Array("hello ".utf8)))
        let second = try Zstd.compress(ArrowBuffer(Array("world".utf8)))
        let both = ArrowBuffer(first.bytes + second.bytes)
        #expect(try Zstd.decompress(both, uncompressedSize: 11).bytes == Array("hello world".utf8))
        #expect(try Zstd.decompress(both, limit: 100).bytes == Array("hello world".utf8))
        #expect(try Zstd.decompress(.empty, limit: 100).count == 0)
    }

    @Test("damaged blocks and frames give errors or bytes, never a trap")
    func damage() throws {
        let text = Array(String(repeating: "the quick brown fox jumps over the lazy dog; ", count: 12).utf8)
        let lz4 = try LZ4Block.compress(ArrowBuffer(text)).bytes
        withDamaged(lz4, flips: 2000, seed: 1) { _ = try? LZ4Block.decompress($0, uncompressedSize: text.count) }
        let zstd = try Zstd.compress(ArrowBuffer(text)).bytes
        for count in 0..<zstd.count {
            let part = ArrowBuffer(Array(zstd[..<count]))
            #expect(throws: LanceError.self) { try Zstd.decompress(part, uncompressedSize: text.count) }
            if count > 0 { #expect(throws: LanceError.self) { try Zstd.decompress(part, limit: text.count) } }
        }
        withDamaged(zstd, flips: 2000, seed: 2) {
            _ = try? Zstd.decompress($0, uncompressedSize: text.count)
            _ = try? Zstd.decompress($0, limit: 1 << 20)
        }
        #expect(try Zstd.decompress(ArrowBuffer(zstd), uncompressedSize: text.count).bytes == text)
    }

    @Test("contexts are shared by many threads without mixing their work")
    func concurrency() async throws {
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<64 {
                group.addTask {
                    let text = [UInt8](repeating: UInt8(task), count: 10_000 + task)
                    guard let packed = try? Zstd.compress(ArrowBuffer(text)) else { return false }
                    return (try? Zstd.decompress(packed, uncompressedSize: text.count))?.bytes == text
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}

@Suite("Byte stream split")
struct ByteStreamSplitTests {
    @Test("values of every width come back", arguments: [1, 2, 3, 4, 8, 16])
    func roundTrip(width: Int) throws {
        var generator = SeededGenerator(seed: UInt64(width))
        for count in [0, 1, 2, 15, 16, 17, 100, 1024] {
            let values = generator.bytes(count * width)
            let split = ByteStreamSplit.encode(ArrowBuffer(values), width: width)
            for index in 0..<count {
                for byte in 0..<width {
                    #expect(split.bytes[byte * count + index] == values[index * width + byte])
                }
            }
            #expect(try ByteStreamSplit.decode(split, width: width).bytes == values)
        }
    }

    @Test("half a value is refused")
    func partial() {
        #expect(throws: LanceError(.corrupt, "")) {
            try ByteStreamSplit.decode(ArrowBuffer([1, 2, 3] as [UInt8]), width: 2)
        }
    }
}
