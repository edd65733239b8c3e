import LancerBytes
import Testing

@Suite("large pages")
struct LargePagesTests {
    @Test("moved memory keeps what is in it, wherever it begins and ends", arguments: [0, 64, 4096 + 8])
    func move(offset: Int) async {
        let count = (LargePages.leastBytes * 2 + 12_345) / 8
        let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 8 + offset, alignment: 64)
        defer { memory.deallocate() }
        let numbers = (memory + offset).bindMemory(to: UInt64.self, capacity: count)
        for i in 0..<count { (numbers + i).initialize(to: UInt64(i) &* 0x9E37_79B9_7F4A_7C15) }
        LargePages.move(numbers, byteCount: count * 8 / 2)
        await LargePages.moveGradually(numbers, byteCount: count * 8)
        #expect((0..<count).allSatisfy { numbers[$0] == UInt64($0) &* 0x9E37_79B9_7F4A_7C15 })
    }

    @Test("memory can be read while it is moved")
    func readMeanwhile() async {
        let buffer = ArrowBuffer(count: 6 * LargePages.leastBytes) { bytes in
            for i in bytes.indices { bytes[i] = UInt8(truncatingIfNeeded: i &* 31) }
        }
        async let moved: Void = LargePages.moveGradually(buffer.start, byteCount: buffer.count)
        async let isWhole = Task.detached {
            (0..<3).allSatisfy { _ in
                buffer.withUnsafeBytes { bytes in
                    stride(from: 0, to: bytes.count, by: 997).allSatisfy {
                        bytes[$0] == UInt8(truncatingIfNeeded: $0 &* 31)
                    }
                }
            }
        }.value
        await moved
        #expect(await isWhole)
    }
}
