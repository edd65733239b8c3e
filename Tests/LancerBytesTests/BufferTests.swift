import LancerBytes
import LancerTestSupport
import Testing

@Suite("Buffers")
struct BufferTests {
    @Test("memory is aligned to 64 bytes, whatever its size")
    func alignment() {
        for size in [0, 1, 63, 64, 1000, 128 << 10, (128 << 10) + 1, 40 << 20] {
            let buffer = ArrowBuffer(count: size) { _ in }
            #expect(Int(bitPattern: buffer.start) % 64 == 0, "\(size) bytes")
            #expect(buffer.count == size)
        }
    }

    @Test("slices share memory, keep it alive and are checked")
    func slices() throws {
        var slice: ArrowBuffer
        do {
            let whole = ArrowBuffer(Array(0..<200) as [UInt8])
            slice = whole.slice(10..<20)
            #expect(slice.start == whole.start + 10)
        }
        #expect(slice.bytes == Array(10..<20))
        #expect(slice.slice(3..<3).count == 0)
        #expect(try slice.checkedSlice(offset: 8, count: 2, "x").bytes == [18, 19])
        for (offset, count) in [(8, 3), (-1, 2), (0, -1), (11, 0), (Int.max, 1), (1, Int.max)] {
            #expect(throws: LanceError(.truncated, "")) { try slice.checkedSlice(offset: offset, count: count, "x") }
        }
    }

    @Test("an unaligned slice is copied only when alignment is asked for")
    func aligned() {
        let whole = ArrowBuffer([UInt64](repeating: 0x0102_0304_0506_0708, count: 4))
        let odd = whole.slice(1..<17)
        #expect(whole.aligned(to: 8).start == whole.start)
        let copy = odd.aligned(to: 8)
        #expect(copy.start != odd.start && copy.bytes == odd.bytes)
        #expect(copy.withValues(of: UInt64.self) { $0.count } == 2)
    }

    @Test("memory of large buffers is used again without mixing up what is still held")
    func pool() {
        var random = SplitMix64(seed: 20)
        var held: [(ArrowBuffer, UInt8)] = []
        for round in 0..<400 {
            let mark = UInt8(truncatingIfNeeded: round)
            let size = Int.random(in: (100 << 10)...(600 << 10), using: &random)
            held.append((ArrowBuffer(count: size) { $0.initializeMemory(as: UInt8.self, repeating: mark) }, mark))
            if held.count > 12 { held.remove(at: Int.random(in: 0..<held.count, using: &random)) }
            for (buffer, mark) in held {
                #expect(buffer.withUnsafeBytes { $0.first == mark && $0.last == mark && $0[$0.count / 2] == mark })
            }
        }
    }

    @Test("foreign memory is released once, with the last slice")
    func foreign() {
        final class Counter { var count = 0 }
        let counter = Counter()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
        defer { memory.deallocate() }
        do {
            let storage = BufferStorage(foreign: memory, capacity: 64) { counter.count += 1 }
            let slice = ArrowBuffer(storage: storage, offset: 8, count: 8).slice(2..<4)
            #expect(slice.count == 2 && counter.count == 0)
        }
        #expect(counter.count == 1)
    }
}

@Suite("Building buffers")
struct BufferBuilderTests {
    @Test("what is appended in any way comes out in order")
    func appending() {
        var builder = BufferBuilder()
        builder.append(UInt16(0x0201))
        builder.append(contentsOf: [3, 4, 5])
        builder.pad(to: 8, with: 9)
        builder.append(contentsOf: ArrowBuffer([7] as [UInt8]))
        builder.append(0, repeated: 2)
        builder.overwrite(UInt8(1), at: 9)
        builder.append(upTo: 100) { room in
            room[0] = 42
            return 1
        }
        #expect(builder.count == 12)
        builder.truncate(to: 11)
        builder.append(UInt8(43))
        #expect(builder.finish().bytes == [1, 2, 3, 4, 5, 9, 9, 9, 7, 1, 0, 43])
    }

    @Test("growing keeps the bytes")
    func growing() {
        var builder = BufferBuilder(capacity: 3)
        for value in 0..<50_000 { builder.append(UInt32(value)) }
        let buffer = builder.finish()
        #expect(buffer.withValues(of: UInt32.self) { $0.enumerated().allSatisfy { $0.offset == $0.element } })
    }
}
