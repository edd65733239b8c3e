import CChecksum
import LancerBytes

/// CRC-32C (Castagnoli), the checksum of iSCSI and ext4: finds every change of up to three bits in 64 KiB and all but one
/// in 2^32 of any other change. It protects against broken hardware, not against a forger.
/// Spec: 14-checksums.md, "CRC-32C".
package enum CRC32C {
    /// The checksum of bytes; `previous` is the one of the bytes in front, if these go on.
    package static func checksum(of bytes: UnsafeRawBufferPointer, after previous: UInt32 = 0) -> UInt32 {
        guard let start = bytes.baseAddress else { return previous }
        return lancer_crc32c(previous, start, bytes.count)
    }

    /// The checksum of a buffer; `previous` is the one of the bytes in front, if these go on.
    package static func checksum(of buffer: ArrowBuffer, after previous: UInt32 = 0) -> UInt32 {
        buffer.withUnsafeBytes { checksum(of: $0, after: previous) }
    }
}
