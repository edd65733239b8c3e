import LancerBytes
import LancerCodecs

/// Computes the checksums of a file's blocks while it is written.
struct BlockHasher {
    /// Checksums of the full blocks so far.
    private var blocks: [UInt32] = []
    /// Checksum of the bytes behind the last full block.
    private var current: UInt32 = 0
    /// Bytes behind the last full block.
    private var pending = 0

    private static let blockSize = Int(FileChecksums.blockSize)

    /// Takes the file's next bytes.
    mutating func add(_ buffer: ArrowBuffer) {
        buffer.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Swift.min(rest.count, Self.blockSize - pending)
                current = CRC32C.checksum(of: UnsafeRawBufferPointer(rebasing: rest.prefix(count)), after: current)
                pending += count
                rest = rest.dropFirst(count)
                if pending == Self.blockSize { endBlock() }
            }
        }
    }

    private mutating func endBlock() {
        blocks.append(current)
        current = 0
        pending = 0
    }

    /// Checksums of all blocks; the last one may be short.
    consuming func finish() -> [UInt32] {
        if pending > 0 { endBlock() }
        return blocks
    }
}
