import LancerArrow
import LancerBytes

/// The header of a NumPy `.npy` file: what the values are and how many.
///
/// Layout: `93 4E 55 4D 50 59` ("\x93NUMPY"), version major and minor (one byte each), length of the text that follows
/// (2 bytes little-endian in 1.0, 4 in 2.0 and 3.0), then a Python dictionary literal with the keys `descr`,
/// `fortran_order` and `shape`, padded with blanks and a final LF so that the values start at a multiple of 64.
///
/// Spec: NumPy reference, `numpy.lib.format`.
package struct NPYHeader: Sendable, Equatable {
    /// Arrow type of one value.
    package var type: ArrowType
    /// Bytes of one value in the file.
    package var valueWidth: Int
    /// Whether the values are big-endian.
    package var isBigEndian = false
    /// Whether columns, not rows, lie back to back.
    package var isFortranOrder = false
    /// Sizes of the dimensions.
    package var shape: [Int]
    /// Where the values start in the file.
    package var dataOffset: Int

    /// The longest header text that is read, in bytes.
    private static let textLimit = 1 << 20
    private static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

    /// Reads the header of a file.
    ///
    /// - Throws: `corrupt` for what is no NPY header, `unsupported` for types and versions that are not read,
    ///   `truncated` when the file ends too early, what the source throws.
    package init(_ source: any ByteSource) throws(LanceError) {
        let start = try source.read(offset: 0, count: 8).bytes
        guard Array(start[0..<6]) == Self.magic else {
            throw .corrupt("not a NumPy file: it does not start with \\x93NUMPY")
        }
        guard (1...3).contains(start[6]), start[7] == 0 else {
            throw .unsupported("NPY version \(start[6]).\(start[7]); versions 1.0, 2.0 and 3.0 are read")
        }
        let sizeBytes = start[6] == 1 ? 2 : 4
        let size = try source.read(offset: 8, count: sizeBytes).bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard size <= Self.textLimit else { throw .limitExceeded("an NPY header of \(size) bytes") }
        let text = try source.read(offset: UInt64(8 + sizeBytes), count: size)
        dataOffset = 8 + sizeBytes + size

        var parser = PythonLiteral(text.bytes)
        var description: String?
        var order: Bool?
        var shape: [Int]?
        for (key, value) in try parser.dictionary() {
            switch (key, value) {
            case ("descr", .string(let text)): description = text
            case ("fortran_order", .bool(let flag)): order = flag
            case ("shape", .tuple(let sizes)): shape = sizes
            default: throw .corrupt("the NPY header has an unexpected entry \"\(key)\"")
            }
        }
        guard let description, let order, let shape else {
            throw .corrupt("the NPY header lacks one of descr, fortran_order and shape")
        }
        self.shape = shape
        // Fortran order says something only for two dimensions and more.
        isFortranOrder = order && shape.count > 1
        (type, valueWidth, isBigEndian) = try Self.type(description)
        var count = valueWidth
        for size in shape { count = try count.multiplied(by: size, "NPY shape \(shape)") }
        let end = try dataOffset.adding(count, "NPY shape \(shape)")
        if let size = source.size, UInt64(end) > size {
            throw .truncated("an NPY file of shape \(shape) and type \(description) has \(end) bytes, this one \(size)")
        }
    }

    private static func type(_ description: String) throws(LanceError) -> (ArrowType, Int, Bool) {
        let types: [String: (ArrowType, Int)] = [
            "b1": (.bool, 1), "i1": (.int8, 1), "i2": (.int16, 2), "i4": (.int32, 4), "i8": (.int64, 8),
            "u1": (.uint8, 1), "u2": (.uint16, 2), "u4": (.uint32, 4), "u8": (.uint64, 8),
            "f2": (.float16, 2), "f4": (.float32, 4), "f8": (.float64, 8), "?": (.bool, 1),
        ]
        let order = description.first ?? " "
        let name = "<>=|".contains(order) ? String(description.dropFirst()) : description
        guard let (type, width) = types[name] else {
            throw .unsupported("the NPY type \"\(description)\"; bool, i1-i8, u1-u8, f2, f4 and f8 are read")
        }
        return (type, width, order == ">" && width > 1)
    }

    // MARK: Writing

    /// The header of little-endian values in C order, padded to a multiple of 64 bytes with room for any row count.
    ///
    /// - Throws: `unsupported` for types that NPY does not have.
    package static func bytes(type: ArrowType, rows: Int, columns: Int?) throws(LanceError) -> ArrowBuffer {
        let names: [ArrowType: String] = [
            .bool: "|b1", .int8: "|i1", .int16: "<i2", .int32: "<i4", .int64: "<i8", .uint8: "|u1", .uint16: "<u2",
            .uint32: "<u4", .uint64: "<u8", .float16: "<f2", .float32: "<f4", .float64: "<f8",
        ]
        guard let name = names[type] else {
            throw .unsupported("\(type) values in an NPY file; numbers, bool and fixed-size lists of them are written")
        }
        let shape = columns.map { "(\(rows), \($0))" } ?? "(\(rows),)"
        var text = Array("{'descr': '\(name)', 'fortran_order': False, 'shape': \(shape), }".utf8)
        // Room for the longest row count, so that the header of a growing file can be replaced in place.
        let room = 20 - String(rows).utf8.count
        let total = (10 + text.count + room + 1).rounded(upTo: 64)
        text.append(contentsOf: [UInt8](repeating: 0x20, count: total - 10 - text.count - 1))
        text.append(0x0A)
        let size = [UInt8(text.count & 0xFF), UInt8(text.count >> 8)]
        return ArrowBuffer(magic + [1, 0] + size + text)
    }
}

/// The few Python literals that an NPY header is made of.
private struct PythonLiteral {
    enum Value {
        case string(String)
        case bool(Bool)
        case tuple([Int])
    }

    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) { self.text = text }

    mutating func dictionary() throws(LanceError) -> [(String, Value)] {
        var entries: [(String, Value)] = []
        guard take(0x7B) else { throw damaged("\"{\"") }
        while !take(0x7D) {
            let key = try string()
            guard take(0x3A) else { throw damaged("\":\"") }
            guard !entries.contains(where: { $0.0 == key }) else { throw damaged("each key once") }
            entries.append((key, try value()))
            guard take(0x2C) || next == 0x7D else { throw damaged("\",\" or \"}\"") }
        }
        skipBlanks()
        guard position == text.count else { throw damaged("the end") }
        return entries
    }

    private mutating func value() throws(LanceError) -> Value {
        switch next {
        case 0x22, 0x27: return .string(try string())
        case 0x28: return .tuple(try tuple())
        case 0x54, 0x46:
            let word = String(decoding: text[position...].prefix { (0x41...0x7A).contains($0) }, as: UTF8.self)
            guard word == "True" || word == "False" else { throw damaged("True or False") }
            position += word.utf8.count
            return .bool(word == "True")
        case 0x5B:
            let list = String(decoding: text[position...].prefix(80), as: UTF8.self)
            throw .unsupported("NPY structured types (\(list)); plain numbers are read")
        default: throw damaged("a value")
        }
    }

    private mutating func string() throws(LanceError) -> String {
        guard let quote = next, quote == 0x22 || quote == 0x27 else { throw damaged("a string") }
        let start = position + 1
        guard let end = text[start...].firstIndex(of: quote) else { throw damaged("a closing quote") }
        position = end + 1
        return String(decoding: text[start..<end], as: UTF8.self)
    }

    private mutating func tuple() throws(LanceError) -> [Int] {
        position += 1
        var sizes: [Int] = []
        while !take(0x29) {
            skipBlanks()
            let start = position
            while position < text.count, text[position] &- 0x30 <= 9 { position += 1 }
            guard sizes.count < 32, let size = Int(String(decoding: text[start..<position], as: UTF8.self)) else {
                throw damaged("a size")
            }
            sizes.append(size)
            // Python 2 wrote long integers with an L.
            if position < text.count, text[position] == 0x4C { position += 1 }
            guard take(0x2C) || next == 0x29 else { throw damaged("\",\" or \")\"") }
        }
        return sizes
    }

    /// The next byte that is no blank.
    private var next: UInt8? {
        mutating get {
            skipBlanks()
            return position < text.count ? text[position] : nil
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() {
        while position < text.count, text[position] == 0x20 || (0x09...0x0D).contains(text[position]) { position += 1 }
    }

    private func damaged(_ what: String) -> LanceError {
        .corrupt(
            "the NPY header's text is damaged: expected \(what)",
            part: "NPY header text",
            offset: UInt64(position)
        )
    }
}
