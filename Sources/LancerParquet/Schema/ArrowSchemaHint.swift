import LancerArrow
import LancerBytes

/// The Arrow schema that Arrow's writers store in the file's metadata.
enum ArrowSchemaHint {
    static let key = "ARROW:schema"
    /// Metadata of a field that says its id in a Parquet file.
    static let fieldIDKey = "PARQUET:field_id"

    /// The text for a schema.
    static func text(_ schema: ArrowSchema) throws(LanceError) -> String {
        let sink = MemorySink()
        _ = try ArrowIPCStreamWriter(schema: schema, sink: sink)
        return Base64.encode(sink.buffer)
    }

    /// The schema behind the key, nil when there is none or Lancer cannot use it. Types Lancer has not are others there.
    ///
    /// Spec: base64 of an encapsulated IPC schema message.
    ///
    /// - Throws: `corrupt` when the text is no schema.
    static func read(_ keyValues: [String: String]) throws(LanceError) -> ArrowSchema? {
        guard let text = keyValues[key] else { return nil }
        guard let bytes = Base64.decode(text) else { throw .corrupt("\(key) is not base64") }
        var options = IPCReadOptions()
        options.substitutesTypes = true
        do throws(LanceError) {
            return try ArrowIPCStreamReader(BufferStream(bytes), options: options).schema
        } catch {
            if error.code == .unsupported { return nil }
            throw error.located(part: key)
        }
    }
}

/// Base64 with padding.
///
/// Spec: RFC 4648, section 4.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func decode(_ text: String) -> ArrowBuffer? {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        var output = BufferBuilder(capacity: text.utf8.count / 4 * 3)
        var word: UInt32 = 0
        var bits: UInt32 = 0
        for character in text.utf8 where character != UInt8(ascii: "=") {
            let value = values[Int(character)]
            if value == 0xFF { return nil }
            word = word << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                output.append(UInt8(truncatingIfNeeded: word >> bits))
            }
        }
        return output.finish()
    }

    static func encode(_ buffer: ArrowBuffer) -> String {
        let bytes = buffer.bytes
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            var word: UInt32 = 0
            let count = min(3, bytes.count - start)
            for index in 0..<3 { word = word << 8 | (index < count ? UInt32(bytes[start + index]) : 0) }
            for index in 0..<4 {
                let character = alphabet[Int(word >> UInt32(18 - 6 * index) & 63)]
                result.append(index <= count ? character : UInt8(ascii: "="))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
