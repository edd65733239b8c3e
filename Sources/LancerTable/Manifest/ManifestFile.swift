import LancerBytes

/// The container of a manifest: up to three messages and where the last one is.
///
/// ```
/// [ u32 length | IndexSection ]     tables with indices
/// [ u32 length | Transaction  ]     copy of the transaction that made the version
/// [ checksum ]                      files written by Lancer, see ``ManifestChecksum``
/// [ u32 length | Manifest     ]     at offset P; other bytes may stand before it
/// u64 P | u16 major = 0 | u16 minor = 2 | "LANC"
/// ```
/// Spec: 10-table.md, "Manifest file".
package struct ManifestFile: Sendable {
    package let bytes: ArrowBuffer
    /// The Manifest message.
    package let message: ArrowBuffer
    /// Whether the file has a checksum, which was right then.
    package let hasChecksum: Bool

    private static let footerSize = 16
    private static let magic: [UInt8] = Array("LANC".utf8)
    private static let majorVersion: UInt16 = 0
    private static let minorVersion: UInt16 = 2

    /// Finds the message in the bytes of a whole file.
    ///
    /// - Throws: `truncated`, `corrupt` (also when it does not have its checksum), `unsupported` for another container
    ///   version.
    package init(_ bytes: ArrowBuffer) throws(LanceError) {
        guard bytes.count >= Self.footerSize else {
            throw .truncated("a manifest has at least \(Self.footerSize) bytes, this one \(bytes.count)")
        }
        let footer = bytes.count - Self.footerSize
        guard bytes.slice((bytes.count - 4)..<bytes.count).bytes == Self.magic else {
            throw .corrupt("no \"LANC\" at the end: not a manifest, or cut short", offset: UInt64(bytes.count - 4))
        }
        var reader = ByteReader(bytes, at: footer, what: "manifest footer")
        let position: UInt64 = try reader.read()
        hasChecksum = try ManifestChecksum.check(bytes, manifestAt: position)
        let major: UInt16 = try reader.read()
        let minor: UInt16 = try reader.read()
        guard major == Self.majorVersion else { throw .unsupported("manifest version \(major).\(minor)") }
        self.bytes = bytes
        self.message = try Self.section(bytes, at: position, end: footer, "manifest")
    }

    /// A section: a length word and as many bytes.
    ///
    /// - Throws: `truncated` when it does not lie before the footer.
    package func section(at offset: UInt64, _ name: String) throws(LanceError) -> ArrowBuffer {
        try Self.section(bytes, at: offset, end: bytes.count - Self.footerSize, name)
    }

    private static func section(
        _ bytes: ArrowBuffer,
        at offset: UInt64,
        end: Int,
        _ name: String
    ) throws(LanceError) -> ArrowBuffer {
        guard let start = Int(exactly: offset), start <= end - 4 else {
            throw .truncated("the \(name) section should be at \(offset), the file ends at \(end)", offset: offset)
        }
        var reader = ByteReader(bytes, at: start, what: "\(name) section")
        let length: UInt32 = try reader.read()
        guard Int(length) <= end - start - 4 else {
            throw .truncated("the \(name) section has \(length) bytes, \(end - start - 4) are left", offset: offset)
        }
        return try reader.take(Int(length))
    }

    /// Puts a file together; `manifest` makes the message once the sections' offsets are known.
    ///
    /// - Throws: `limitExceeded` for a section that its length word cannot hold, and what `manifest` throws.
    package static func serialize(
        indexSection: ArrowBuffer?,
        transaction: ArrowBuffer?,
        manifest: (_ indexOffset: UInt64?, _ transactionOffset: UInt64?) throws(LanceError) -> ArrowBuffer
    ) throws(LanceError) -> ArrowBuffer {
        var builder = BufferBuilder()
        var offsets: [UInt64?] = []
        for section in [indexSection, transaction] {
            if let section {
                offsets.append(UInt64(builder.count))
                try append(section, to: &builder)
            } else {
                offsets.append(nil)
            }
        }
        let checksum = ManifestChecksum.reserve(in: &builder)
        let position = UInt64(builder.count)
        try append(try manifest(offsets[0], offsets[1]), to: &builder)
        builder.append(position.littleEndian)
        builder.append(majorVersion.littleEndian)
        builder.append(minorVersion.littleEndian)
        builder.append(contentsOf: magic)
        ManifestChecksum.fill(at: checksum, in: &builder)
        return builder.finish()
    }

    private static func append(_ section: ArrowBuffer, to builder: inout BufferBuilder) throws(LanceError) {
        guard let length = UInt32(exactly: section.count) else {
            throw .limitExceeded("a section of \(section.count) bytes is too long for a manifest")
        }
        builder.append(length.littleEndian)
        builder.append(contentsOf: section)
    }
}
