/// Checks text before it is handed out as such.
package enum UTF8Validation {
    /// Whether no byte has its high bit set: the common case, at the speed of reading memory.
    package static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        var index = 0
        // Blocks small enough to give up early, large enough for the inner loop to be all there is.
        while bytes.count - index >= 512 {
            var seen = SIMD16<UInt8>(repeating: 0)
            for step in 0..<32 {
                seen |= base.loadUnaligned(fromByteOffset: index &+ step &* 16, as: SIMD16<UInt8>.self)
            }
            let words = unsafeBitCast(seen, to: SIMD2<UInt64>.self)
            if (words.x | words.y) & 0x8080_8080_8080_8080 != 0 { return false }
            index += 512
        }
        var seen: UInt8 = 0
        while index < bytes.count {
            seen |= bytes[index]
            index += 1
        }
        return seen < 0x80
    }

    /// Whether `bytes` are well-formed UTF-8 (shortest forms only, no surrogates, nothing above U+10FFFF).
    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = bytes.count
        var index = 0
        while index < count {
            // Plain ASCII, 16 bytes at a time.
            while count - index >= 16 {
                let low = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let high = bytes.loadUnaligned(fromByteOffset: index + 8, as: UInt64.self)
                if (low | high) & 0x8080_8080_8080_8080 != 0 { break }
                index += 16
            }
            guard index < count else { return true }
            let lead = bytes[index]
            if lead < 0x80 {
                index += 1
                continue
            }
            let size = sequenceLength(bytes, at: index, lead: lead)
            if size == 0 { return false }
            index += size
        }
        return true
    }

    /// Bytes of the multi-byte character at `index`, or 0 when it is malformed (Unicode 15, table 3-7).
    @inline(__always)
    private static func sequenceLength(_ bytes: UnsafeRawBufferPointer, at index: Int, lead: UInt8) -> Int {
        let left = bytes.count - index
        switch lead {
        case 0xC2...0xDF:
            return left >= 2 && isContinuation(bytes[index + 1]) ? 2 : 0
        case 0xE0...0xEF:
            guard left >= 3, isContinuation(bytes[index + 1]), isContinuation(bytes[index + 2]) else { return 0 }
            if lead == 0xE0, bytes[index + 1] < 0xA0 { return 0 }
            if lead == 0xED, bytes[index + 1] > 0x9F { return 0 }
            return 3
        case 0xF0...0xF4:
            guard left >= 4, isContinuation(bytes[index + 1]), isContinuation(bytes[index + 2]),
                isContinuation(bytes[index + 3])
            else { return 0 }
            if lead == 0xF0, bytes[index + 1] < 0x90 { return 0 }
            if lead == 0xF4, bytes[index + 1] > 0x8F { return 0 }
            return 4
        default: return 0
        }
    }

    /// Whether a byte continues a character rather than starting one.
    @inline(__always)
    package static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}
