import LancerBytes

/// The metadata of one encapsulated message: a `Message` table.
///
/// Layout: `0xFFFFFFFF`, metadata length as a signed 32-bit number (before Arrow 0.15 only that), the FlatBuffers
/// message padded to 8 bytes, the body. A length of 0 ends a stream.
/// Spec: Arrow columnar format, "Encapsulated message format"; Message.fbs.
struct IPCMessage {
    /// Which of ``IPCFormat/Header`` it is.
    let kind: UInt8
    let header: FlatTable
    /// Bytes of the body that follows.
    let bodyLength: Int
    /// Size of the metadata in bytes.
    let metadataSize: Int

    /// Reads the metadata without its prefix.
    ///
    /// - Throws: `unsupported` for versions and message kinds Lancer does not read, `corrupt`.
    init(metadata: ArrowBuffer) throws(LanceError) {
        let message = try FlatTable(rootOf: metadata)
        try Self.check(version: message.number(0, absent: Int16(0)))
        kind = try message.number(1, absent: UInt8(0))
        guard let header = try message.table(2) else { throw .corrupt("an Arrow message has no header") }
        self.header = header
        let length = try message.number(3, absent: Int64(0))
        guard length >= 0, let bodyLength = Int(exactly: length) else {
            throw .corrupt("an Arrow message has a body of \(length) bytes")
        }
        self.bodyLength = bodyLength
        metadataSize = metadata.count
        // Arrow 0.17 kept the codec here before the format had a place for it.
        if let pairs = try message.vector(4, stride: 4) {
            for index in 0..<pairs.count where try pairs.table(index).text(0) == "ARROW:experimental_compression" {
                throw .unsupported("the Arrow data is compressed the experimental way of Arrow 0.17")
            }
        }
    }

    /// Throws `unsupported` for metadata versions before V4.
    static func check(version: Int16) throws(LanceError) {
        guard IPCFormat.readableVersions.contains(version) else {
            throw .unsupported("Arrow metadata version V\(Int(version) + 1); V4 and V5 are read")
        }
    }

    /// Makes the bytes of a message up to its body.
    static func encapsulated(
        kind: UInt8,
        bodyLength: Int,
        header: FlatBufferBuilder.Reference,
        in builder: consuming FlatBufferBuilder
    ) -> ArrowBuffer {
        let message = builder.table([
            (3, .number(Int64(bodyLength))), (2, .reference(header)), (0, .number(IPCFormat.version)),
            (1, .number(kind)),
        ])
        let metadata = builder.finish(root: message)
        var bytes = BufferBuilder(capacity: 8 + metadata.count)
        bytes.append(IPCFormat.continuation.littleEndian)
        bytes.append(Int32(metadata.count).littleEndian)
        bytes.append(contentsOf: metadata)
        return bytes.finish()
    }

    /// What ends a stream.
    static var endOfStream: ArrowBuffer { ArrowBuffer([IPCFormat.continuation.littleEndian, 0]) }
}
