import LancerBytes

/// Bytes as text: RFC 4648 base64, standard alphabet, padded.
enum Base64 {
    private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xFF, count: 256)
        for (value, letter) in alphabet.enumerated() { table[Int(letter)] = UInt8(value) }
        return table
    }()

    /// Appends the text of `bytes`.
    static func encode(_ bytes: UnsafeRawBufferPointer, into output: inout BufferBuilder) {
        var index = 0
        output.reserve((bytes.count + 2) / 3 * 4)
        while index + 3 <= bytes.count {
            let word: UInt32 = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
            output.append(alphabet[Int(word >> 18)])
            output.append(alphabet[Int(word >> 12 & 63)])
            output.append(alphabet[Int(word >> 6 & 63)])
            output.append(alphabet[Int(word & 63)])
            index += 3
        }
        let left = bytes.count - index
        guard left > 0 else { return }
        let word: UInt32 = UInt32(bytes[index]) << 16 | (left == 2 ? UInt32(bytes[index + 1]) << 8 : 0)
        output.append(alphabet[Int(word >> 18)])
        output.append(alphabet[Int(word >> 12 & 63)])
        output.append(left == 2 ? alphabet[Int(word >> 6 & 63)] : 0x3D)
        output.append(UInt8(0x3D))
    }

    /// Appends the bytes that `text` stands for and returns how many; nil (nothing appended) when it is not base64.
    static func decode(_ text: TextBytes, into output: inout BufferBuilder) -> Int? {
        guard text.count % 4 == 0 else { return nil }
        if text.isEmpty { return 0 }
        var padding = 0
        if text[text.count - 1] == 0x3D { padding = text[text.count - 2] == 0x3D ? 2 : 1 }
        let size = text.count / 4 * 3 - padding
        let digits = text.count - padding
        let table = values
        for index in 0..<digits where table[Int(text[index])] == 0xFF { return nil }
        output.append(upTo: size) { target in
            var written = 0
            var word: UInt32 = 0
            for index in 0..<(digits + padding) {
                word = word << 6 | (index < digits ? UInt32(table[Int(text[index])]) : 0)
                guard index & 3 == 3 else { continue }
                for shift: UInt32 in [16, 8, 0] where written < size {
                    target[written] = UInt8(truncatingIfNeeded: word >> shift)
                    written += 1
                }
                word = 0
            }
            return size
        }
        return size
    }
}
