import LancerArrow
import LancerBytes

/// Collects the distinct values of a column chunk in order of appearance.
struct DictionaryBuilder: ~Copyable {
    /// The distinct values in PLAIN encoding.
    private(set) var plain = BufferBuilder()
    /// Where each value starts in `plain`; one more at the end.
    private(set) var starts: [Int] = [0]
    private var numbers = NumberInterner()
    private var bytes = ByteInterner()

    /// Number of distinct values.
    var count: Int { starts.count - 1 }

    /// Bytes of the dictionary.
    var sizeInBytes: Int { plain.count }

    /// Appends the index of every value to `indices`.
    mutating func append(_ values: LeafValues, to indices: inout [UInt32]) {
        switch values {
        case .bits: break
        case .fixed(let buffer, 4): append(buffer, UInt32.self, to: &indices)
        case .fixed(let buffer, 8): append(buffer, UInt64.self, to: &indices)
        case .fixed(let buffer, let width):
            buffer.withUnsafeBytes { all in
                for index in 0..<(all.count / width) {
                    let value = UnsafeRawBufferPointer(rebasing: all[(index * width)..<((index + 1) * width)])
                    indices.append(UInt32(truncatingIfNeeded: intern(value, hasLength: false)))
                }
            }
        case .bytes(let ranges, let data):
            data.withUnsafeBytes { all in
                for range in ranges {
                    let value = UnsafeRawBufferPointer(rebasing: all[range])
                    indices.append(UInt32(truncatingIfNeeded: intern(value, hasLength: true)))
                }
            }
        }
    }

    private mutating func append<T: FixedWidthInteger & BitwiseCopyable>(
        _ buffer: ArrowBuffer,
        _ type: T.Type,
        to indices: inout [UInt32]
    ) {
        let size = MemoryLayout<T>.size
        for index in 0..<(buffer.count / size) {
            let value = buffer.start.loadUnaligned(fromByteOffset: index &* size, as: T.self)
            let number = numbers.intern(UInt64(truncatingIfNeeded: value))
            if number == count {
                plain.append(value)
                starts.append(plain.count)
            }
            indices.append(UInt32(truncatingIfNeeded: number))
        }
    }

    private mutating func intern(_ value: UnsafeRawBufferPointer, hasLength: Bool) -> Int {
        let number = bytes.intern(value)
        if number == count {
            if hasLength { plain.append(UInt32(truncatingIfNeeded: value.count)) }
            plain.append(value)
            starts.append(plain.count)
        }
        return number
    }

    /// Bytes of the values at `indices` in PLAIN encoding.
    func plainSize(_ indices: [UInt32]) -> Int {
        var total = 0
        for index in indices { total &+= starts[Int(index) + 1] &- starts[Int(index)] }
        return total
    }

    /// Appends the values at `indices` in PLAIN encoding.
    func decode(_ indices: [UInt32], into output: inout BufferBuilder) {
        plain.withUnsafeBytes { all in
            for index in indices {
                output.append(UnsafeRawBufferPointer(rebasing: all[starts[Int(index)]..<starts[Int(index) + 1]]))
            }
        }
    }

    /// The dictionary page's content; the builder is used up.
    consuming func finish() -> ArrowBuffer { plain.finish() }
}

/// Numbers distinct integers in order of appearance; open addressing, at most half full.
private struct NumberInterner {
    private var slots: [Int32] = []
    private var keys: [UInt64] = []
    private var shift: UInt64 = 0

    mutating func intern(_ key: UInt64) -> Int {
        if keys.count &* 2 >= slots.count { grow() }
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> shift)
        while true {
            let number = slots[slot]
            if number < 0 { break }
            if keys[Int(number)] == key { return Int(number) }
            slot = (slot &+ 1) & mask
        }
        slots[slot] = Int32(truncatingIfNeeded: keys.count)
        keys.append(key)
        return keys.count &- 1
    }

    private mutating func grow() {
        let size = max(slots.count * 2, 256)
        shift = UInt64(64 - size.trailingZeroBitCount)
        slots = [Int32](repeating: -1, count: size)
        for (number, key) in keys.enumerated() {
            var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> shift)
            while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = Int32(truncatingIfNeeded: number)
        }
    }
}
