import LancerBytes

/// Byte stream split: byte `j` of value `i` of `count` values stands at `j * count + i`.
///
/// It saves nothing by itself; bytes of equal significance next to each other compress better.
package enum ByteStreamSplit {
    /// Splits values of `width` bytes; `output` has the size of `input`, a multiple of `width`, and no overlap with it.
    package static func encode(
        _ input: UnsafeRawBufferPointer,
        width: Int,
        into output: UnsafeMutableRawBufferPointer
    ) {
        precondition(width > 0 && input.count % width == 0 && output.count == input.count)
        guard let source = input.baseAddress, let target = output.baseAddress else { return }
        let count = input.count / width
        switch width {
        case 2: split(source, count, UInt16.self, target)
        case 4: split(source, count, UInt32.self, target)
        case 8: split(source, count, UInt64.self, target)
        default:
            for byte in 0..<width {
                for index in 0..<count { output[byte &* count &+ index] = input[index &* width &+ byte] }
            }
        }
    }

    /// Puts split values of `width` bytes together again.
    ///
    /// - Throws: `corrupt` when the input is no whole number of values, or not as long as the output.
    package static func decode(
        _ input: UnsafeRawBufferPointer,
        width: Int,
        into output: UnsafeMutableRawBufferPointer
    ) throws(LanceError) {
        precondition(width > 0)
        guard input.count % width == 0, output.count == input.count else {
            throw .corrupt("byte stream split: \(input.count) bytes for \(output.count) bytes of \(width)-byte values")
        }
        guard let source = input.baseAddress, let target = output.baseAddress else { return }
        let count = input.count / width
        switch width {
        case 2: join(source, count, UInt16.self, target)
        case 4: join(source, count, UInt32.self, target)
        case 8: join(source, count, UInt64.self, target)
        default:
            for byte in 0..<width {
                for index in 0..<count { output[index &* width &+ byte] = input[byte &* count &+ index] }
            }
        }
    }

    /// The values of `input` split.
    package static func encode(_ input: ArrowBuffer, width: Int) -> ArrowBuffer {
        ArrowBuffer(count: input.count) { room in
            input.withUnsafeBytes { encode($0, width: width, into: room) }
        }
    }

    /// The values of `input` put together again.
    ///
    /// - Throws: `corrupt` when the input is no whole number of values.
    package static func decode(_ input: ArrowBuffer, width: Int) throws(LanceError) -> ArrowBuffer {
        try ArrowBuffer(count: input.count) { (room) throws(LanceError) in
            try input.withUnsafeBytes { (bytes) throws(LanceError) in try decode(bytes, width: width, into: room) }
        }
    }

    /// One pass over the values per byte of the width: each is a narrowing store that the compiler vectorises.
    @inline(__always)
    private static func split<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ source: UnsafeRawPointer,
        _ count: Int,
        _ type: T.Type,
        _ target: UnsafeMutableRawPointer
    ) {
        let width = MemoryLayout<T>.size
        for byte in 0..<width {
            let stream = target + byte &* count
            let shift = T(truncatingIfNeeded: byte &* 8)
            for index in 0..<count {
                let value = T(littleEndian: source.loadUnaligned(fromByteOffset: index &* width, as: T.self))
                stream.storeBytes(of: UInt8(truncatingIfNeeded: value &>> shift), toByteOffset: index, as: UInt8.self)
            }
        }
    }

    @inline(__always)
    private static func join<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ source: UnsafeRawPointer,
        _ count: Int,
        _ type: T.Type,
        _ target: UnsafeMutableRawPointer
    ) {
        let width = MemoryLayout<T>.size
        for index in 0..<count {
            var value: T = 0
            for byte in 0..<width {
                let part = source.load(fromByteOffset: byte &* count &+ index, as: UInt8.self)
                value |= T(truncatingIfNeeded: part) &<< T(truncatingIfNeeded: byte &* 8)
            }
            target.storeBytes(of: value.littleEndian, toByteOffset: index &* width, as: T.self)
        }
    }
}
