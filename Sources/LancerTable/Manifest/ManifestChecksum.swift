import LancerBytes
import LancerCodecs

/// The checksum of a manifest file that Lancer wrote. It stands right before the manifest message, where other readers
/// do not look; between message and footer it would stop them.
///
/// ```
///  0  8 B   8F "LNCRCM" 0A, at a multiple of 8
///  8  u64   its own position in the file
/// 16  u64   size of the file
/// 24  u32   1: version of this layout
/// 28  u32   CRC-32C of the whole file without these four bytes
/// ```
/// Spec: 14-checksums.md, "Checksum of a manifest".
enum ManifestChecksum {
    /// Bytes of the checksum.
    static let size = 32

    /// 8F "LNCRCM" 0A as a little-endian number.
    private static let magic: UInt64 = 0x0A4D_4352_434E_4C8F
    private static let layoutVersion: UInt32 = 1

    /// Makes room, to be filled when the rest of the file is there.
    ///
    /// - Returns: Where.
    static func reserve(in file: inout BufferBuilder) -> Int {
        file.pad(to: 8)
        let position = file.count
        file.append(0, repeated: size)
        return position
    }

    /// Writes the checksum of everything else.
    static func fill(at position: Int, in file: inout BufferBuilder) {
        file.overwrite(magic.littleEndian, at: position)
        file.overwrite(UInt64(position).littleEndian, at: position + 8)
        file.overwrite(UInt64(file.count).littleEndian, at: position + 16)
        file.overwrite(layoutVersion.littleEndian, at: position + 24)
        let checksum = file.withUnsafeBytes { Self.checksum($0, position) }
        file.overwrite(checksum.littleEndian, at: position + 28)
    }

    private static func checksum(_ file: UnsafeRawBufferPointer, _ position: Int) -> UInt32 {
        let before = CRC32C.checksum(of: UnsafeRawBufferPointer(rebasing: file[..<(position + 28)]))
        return CRC32C.checksum(of: UnsafeRawBufferPointer(rebasing: file[(position + size)...]), after: before)
    }

    /// Compares a file with its checksum.
    ///
    /// - Parameter manifestAt: Where the footer says the message is.
    /// - Returns: Whether there is a checksum that this Lancer understands.
    /// - Throws: `corrupt` when the file was changed.
    static func check(_ file: ArrowBuffer, manifestAt: UInt64) throws(LanceError) -> Bool {
        guard let position = find(file, manifestAt) else { return false }
        var reader = ByteReader(file, at: position + 24, what: "checksum")
        let version: UInt32 = try reader.read()
        let expected: UInt32 = try reader.read()
        let isIntact = file.withUnsafeBytes { checksum($0, position) } == expected
        guard isIntact || version != layoutVersion else {
            throw .corrupt("the manifest does not have its checksum: it was damaged after it was written")
        }
        return isIntact
    }

    /// Where the checksum is: before the message, or, when a damaged footer leads elsewhere, wherever one says that it
    /// belongs to this place in a file of this size.
    private static func find(_ file: ArrowBuffer, _ manifestAt: UInt64) -> Int? {
        if let message = Int(exactly: manifestAt), isHere(file, message &- size) { return message - size }
        return stride(from: 0, through: file.count - size, by: 8).first { isHere(file, $0) }
    }

    private static func isHere(_ file: ArrowBuffer, _ position: Int) -> Bool {
        guard position >= 0, position <= file.count - size else { return false }
        defer { withExtendedLifetime(file) {} }
        let start = file.start + position
        return UInt64(littleEndian: start.loadUnaligned(as: UInt64.self)) == magic
            && UInt64(littleEndian: (start + 8).loadUnaligned(as: UInt64.self)) == UInt64(position)
            && UInt64(littleEndian: (start + 16).loadUnaligned(as: UInt64.self)) == UInt64(file.count)
    }
}
