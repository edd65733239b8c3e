import LancerArrow
import LancerBytes
import LancerCodecs

extension ValueDecoder {
    /// Decodes `count` values of one opaque buffer: levels and dictionaries.
    ///
    /// ```
    /// run length:  u64 bytes of the run values | run values | u8 run lengths
    /// variable:    u32 32 | u32 offset of the data | (count + 1) u32 offsets from 0 | data      (64-bit: all u64)
    /// ```
    /// Spec: 07-encodings.md, "Contexts".
    package func decodeBlock(
        _ bytes: UnsafeRawBufferPointer,
        count: Int,
        into output: ValueAccumulator
    ) throws(LanceError) {
        switch (self, output) {
        case (.general(let scheme, let inner), _):
            let plain = try GeneralCompression.decompress(bytes, scheme)
            try plain.withUnsafeBytes { (bytes) throws(LanceError) in
                try inner.decodeBlock(bytes, count: count, into: output)
            }
        case (.runLength(let width), .fixed(let target, _)):
            guard bytes.count >= 8 else { throw Self.short(bytes, count) }
            let size = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
            guard size <= UInt64(bytes.count - 8) else { throw .corrupt("a run-length block of \(size) value bytes") }
            let split = 8 + Int(size)
            try Self.expandRuns(
                values: UnsafeRawBufferPointer(rebasing: bytes[8..<split]),
                lengths: UnsafeRawBufferPointer(rebasing: bytes[split...]),
                width: width,
                count: count,
                range: 0..<count,
                into: target
            )
        case (.variable(_, let table), .variable(let target)):
            try Self.decodeVariableBlock(bytes, table, count, target)
        default:
            try decodeChunk([bytes], count: count, range: 0..<count, into: output)
        }
    }

    private static func decodeVariableBlock(
        _ bytes: UnsafeRawBufferPointer,
        _ table: FSSTSymbolTable?,
        _ count: Int,
        _ target: VariableOutput
    ) throws(LanceError) {
        guard bytes.count >= 8 else { throw short(bytes, count) }
        // The first word holds the width of the words in bits: 32 in four bytes or 64 in eight.
        let width = bytes.loadUnaligned(as: UInt32.self).littleEndian == 64 ? 8 : 4
        guard bytes.count >= 2 * width else { throw short(bytes, count) }
        let start: UInt64
        if width == 8 {
            start = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        } else {
            guard bytes.loadUnaligned(as: UInt32.self).littleEndian == 32 else {
                throw .corrupt("a variable block with offsets of \(bytes.loadUnaligned(as: UInt32.self)) bits")
            }
            start = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        }
        guard start >= UInt64(2 * width), start <= UInt64(bytes.count) else {
            throw .corrupt("a variable block of \(bytes.count) bytes whose data starts at \(start)")
        }
        let body = UnsafeRawBufferPointer(rebasing: bytes[(2 * width)...])
        try appendVariable(
            body,
            width,
            table,
            offsetBase: Int(start) - 2 * width,
            range: 0..<count,
            count: count,
            into: target
        )
    }
}
