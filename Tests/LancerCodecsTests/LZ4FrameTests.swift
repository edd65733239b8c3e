import LancerBytes
import LancerCodecs
import Testing

@Suite("LZ4 frames")
struct LZ4FrameTests {
    @Test("frames come back", arguments: [0, 1, 12, 13, 255, 65_535, 65_536, 65_537, 200_000])
    func roundTrip(size: Int) throws {
        var generator = SeededGenerator(seed: UInt64(size))
        for sample in [
            [UInt8](repeating: 7, count: size), generator.bytes(size), generator.bytes(size, alphabet: 97...100),
        ] {
            let packed = try LZ4Frame.compress(ArrowBuffer(sample))
            #expect(try LZ4Frame.decompress(packed, uncompressedSize: size).bytes == sample)
            #expect(throws: LanceError(.corrupt, "")) { try LZ4Frame.decompress(packed, uncompressedSize: size + 1) }
            if size > 0 {
                #expect(throws: LanceError(.corrupt, "")) {
                    try LZ4Frame.decompress(packed, uncompressedSize: size - 1)
                }
            }
        }
    }

    @Test("a frame of pyarrow is read")
    func pyarrow() throws {
        let frame = hex("04224d18604082140000006f6c616e6365200600ffffffff9650616e63652000000000")
        let text = Array(String(repeating: "lance ", count: 200).utf8)
        #expect(try LZ4Frame.decompress(ArrowBuffer(frame), uncompressedSize: 1200).bytes == text)
        #expect(try LZ4Frame.decompress(ArrowBuffer(frame + frame), uncompressedSize: 2400).bytes == text + text)
    }

    @Test("an impossible size is refused, an empty frame is one of no bytes")
    func sizes() throws {
        let bytes = ArrowBuffer([UInt8](repeating: 1, count: 100))
        for size in [-1, 101 * 256, 1 << 40, Int.max] {
            #expect(throws: LanceError(.corrupt, "")) { try LZ4Frame.decompress(bytes, uncompressedSize: size) }
        }
        #expect(throws: LanceError(.corrupt, "")) { try LZ4Frame.decompress(.empty, uncompressedSize: 1) }
        #expect(try LZ4Frame.decompress(.empty, uncompressedSize: 0).count == 0)
    }

    @Test("every truncation is an error, damage never a trap")
    func damage() throws {
        let text = Array(String(repeating: "the quick brown fox jumps over the lazy dog; ", count: 12).utf8)
        let frame = try LZ4Frame.compress(ArrowBuffer(text)).bytes
        for count in 0..<frame.count {
            let part = ArrowBuffer(Array(frame[..<count]))
            #expect(throws: LanceError.self) { try LZ4Frame.decompress(part, uncompressedSize: text.count) }
        }
        withDamaged(frame, flips: 3000, seed: 1) { _ = try? LZ4Frame.decompress($0, uncompressedSize: text.count) }
    }
}
