import LancerBytes

/// Snappy, raw format (no framing).
///
/// Spec: google/snappy, `format_description.txt`: a varint with the length, then literals and copies.
package enum Snappy {
    /// No element makes more than this many bytes out of one of its own.
    private static let maximumExpansion = 64

    /// The `uncompressedSize` bytes that `input` holds.
    ///
    /// - Throws: `corrupt` for damaged data, data of another size, or a size that the input cannot reach.
    package static func decompress(
        _ input: UnsafeRawBufferPointer,
        uncompressedSize: Int
    ) throws(LanceError) -> ArrowBuffer {
        guard uncompressedSize >= 0, uncompressedSize / maximumExpansion <= input.count else {
            throw .corrupt("Snappy data of \(input.count) bytes cannot hold the declared \(uncompressedSize) bytes")
        }
        return try ArrowBuffer(count: uncompressedSize) { (room) throws(LanceError) in
            try decompress(input, into: room)
        }
    }

    /// Decompresses `input`, which must fill `output` exactly.
    ///
    /// - Throws: `corrupt` for damaged data or data of another size.
    package static func decompress(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(LanceError) {
        var cursor = 0
        let declared = try length(input, &cursor)
        guard declared == output.count else {
            throw .corrupt("Snappy data declares \(declared) bytes where \(output.count) are expected")
        }
        guard let source = input.baseAddress, let target = output.baseAddress else { return }
        var written = 0
        while cursor < input.count {
            let tag = Int(input[cursor])
            cursor &+= 1
            if tag & 3 == 0 {
                var count = tag >> 2
                if count >= 60 {
                    let extra = count &- 59
                    guard input.count &- cursor >= extra else { throw damaged(input) }
                    count = 0
                    for byte in 0..<extra { count |= Int(input[cursor &+ byte]) &<< (8 &* byte) }
                    cursor &+= extra
                }
                count &+= 1
                guard count <= input.count &- cursor, count <= output.count &- written else { throw damaged(input) }
                target.advanced(by: written).copyMemory(from: source + cursor, byteCount: count)
                cursor &+= count
                written &+= count
                continue
            }
            let count: Int
            let distance: Int
            let extra = tag & 3 == 1 ? 1 : tag & 3 == 2 ? 2 : 4
            guard input.count &- cursor >= extra else { throw damaged(input) }
            switch extra {
            case 1:
                count = tag >> 2 & 7 &+ 4
                distance = (tag >> 5) << 8 | Int(input[cursor])
            case 2:
                count = tag >> 2 &+ 1
                distance = Int(source.loadUnaligned(fromByteOffset: cursor, as: UInt16.self).littleEndian)
            default:
                count = tag >> 2 &+ 1
                distance = Int(source.loadUnaligned(fromByteOffset: cursor, as: UInt32.self).littleEndian)
            }
            cursor &+= extra
            guard distance > 0, distance <= written, count <= output.count &- written else { throw damaged(input) }
            copy(target, from: written &- distance, to: written, count: count, capacity: output.count)
            written &+= count
        }
        guard written == output.count else {
            throw .corrupt("Snappy data holds \(written) bytes where \(output.count) are declared")
        }
    }

    /// Copies bytes that may overlap what they make.
    @inline(__always)
    private static func copy(
        _ base: UnsafeMutableRawPointer,
        from start: Int,
        to end: Int,
        count: Int,
        capacity: Int
    ) {
        if end &- start >= 8, capacity &- end >= count &+ 8 {
            // Whole words; what is written too much is overwritten by the next element.
            var done = 0
            while done < count {
                let word = base.loadUnaligned(fromByteOffset: start &+ done, as: UInt64.self)
                base.storeBytes(of: word, toByteOffset: end &+ done, as: UInt64.self)
                done &+= 8
            }
        } else {
            for index in 0..<count {
                let byte = base.load(fromByteOffset: start &+ index, as: UInt8.self)
                base.storeBytes(of: byte, toByteOffset: end &+ index, as: UInt8.self)
            }
        }
    }

    private static func length(_ input: UnsafeRawBufferPointer, _ cursor: inout Int) throws(LanceError) -> Int {
        var result = 0
        for shift in stride(from: 0, through: 28, by: 7) {
            guard cursor < input.count else { throw .truncated("Snappy data of \(input.count) bytes has no length") }
            let byte = input[cursor]
            cursor += 1
            result |= Int(byte & 0x7F) << shift
            if byte < 0x80 { return result }
        }
        throw .corrupt("Snappy length of more than 32 bits")
    }

    @inline(never)
    private static func damaged(_ input: UnsafeRawBufferPointer) -> LanceError {
        .corrupt("Snappy data of \(input.count) bytes is damaged")
    }
}
