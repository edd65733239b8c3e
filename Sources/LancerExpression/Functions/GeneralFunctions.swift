import LancerArrow
import LancerBytes

extension FunctionCatalog {
    /// Functions on values of any type; the checker has brought them to one type.
    static let general: [([String], FunctionSignature)] = [
        (
            ["nullif"],
            FunctionSignature(
                usage: "nullif(value, other)",
                canFail: false,
                resolve: { given in given.count == 2 ? (given, given[0]) : nil },
                body: { arguments throws(LanceError) in
                    let array = try arguments.expanded(0)
                    let equal = try ComparisonKernels.compare(
                        .equal,
                        Operand(array: array),
                        arguments[1],
                        arguments.rowCount,
                        joinsZeros: false
                    )
                    return array.masked(by: BitWords.bitmap(equal.isTrue.map { ~$0 }, count: arguments.rowCount))
                }
            )
        ),
        (["greatest"], extreme("greatest(value, …)", .greater)),
        (["least"], extreme("least(value, …)", .less)),
        (["md5"], digest("md5(text)", .utf8) { Hexadecimal.text(MD5.digest($0)) }),
        (["sha256"], digest("sha256(text)", .binary) { SHA256.digest($0) }),
        (
            ["encode"],
            function("encode(value, 'hex')", [.bytes, .text], canFail: true, .type(.utf8)) {
                arguments throws(LanceError) in
                let values = try arguments.texts(0)
                let forms = try arguments.texts(1)
                return try arguments.rows { row, builder throws(LanceError) in
                    switch TextOperations.string(forms[row]).lowercased() {
                    case "hex": try builder.append(text: TextOperations.string(Hexadecimal.text(Array(values[row]))))
                    case "base64":
                        var text = BufferBuilder()
                        ArrowText.append(base64: values[row], to: &text)
                        var bytes = text.finish().bytes
                        while bytes.last == UInt8(ascii: "=") { bytes.removeLast() }
                        try builder.append(text: String(decoding: bytes, as: UTF8.self))
                    case let other: throw .invalidArgument("encode knows hex and base64, not \"\(other.prefix(40))\"")
                    }
                }
            }
        ),
        (
            ["to_hex"],
            function("to_hex(number)", [.integer], .type(.utf8)) { arguments throws(LanceError) in
                let numbers = try FixedColumn<Int64>(arguments[0])
                return try arguments.rows { row, builder throws(LanceError) in
                    try builder.append(text: String(UInt64(bitPattern: numbers[row]), radix: 16))
                }
            }
        ),
    ]

    /// The largest or smallest of the values that are not null.
    private static func extreme(_ usage: String, _ comparison: Comparison) -> FunctionSignature {
        FunctionSignature(
            usage: usage,
            canFail: false,
            resolve: { given in given.isEmpty ? nil : (given, given[0]) },
            body: { arguments throws(LanceError) in
                var best = try arguments.expanded(0)
                for index in 1..<Swift.max(arguments.count, 1) {
                    let next = try arguments.expanded(index)
                    let wins = try ComparisonKernels.compare(
                        comparison,
                        Operand(array: next),
                        Operand(array: best),
                        arguments.rowCount,
                        joinsZeros: false
                    ).selection
                    let order = (0..<arguments.rowCount).map { row in
                        wins[row] || best.isNull(row) ? row + arguments.rowCount : row
                    }
                    best = try ArrowArray.concatenating([best, next]).gather(order)
                }
                return best
            }
        )
    }

    private static func digest(
        _ usage: String,
        _ type: ArrowType,
        _ body: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) -> FunctionSignature {
        function(usage, [.bytes], .type(type)) { arguments throws(LanceError) in
            let values = try arguments.texts(0)
            return try arguments.rows { row, builder throws(LanceError) in
                let result = ArrowBuffer(body(Array(values[row])))
                try result.withUnsafeBytes { bytes throws(LanceError) in try builder.append(bytes: bytes) }
            }
        }
    }
}

/// Bytes as hexadecimal digits.
enum Hexadecimal {
    static func text(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}

extension TextOperations {
    static func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
