import LancerArrow
import LancerBytes

extension FunctionCatalog {
    static let text: [([String], FunctionSignature)] = [
        (["lower"], mapped("lower(text)") { $0.lowercased() }),
        (["upper"], mapped("upper(text)") { $0.uppercased() }),
        (["reverse"], mapped("reverse(text)") { String(String.UnicodeScalarView($0.unicodeScalars.reversed())) }),
        (["initcap"], mapped("initcap(text)") { TextOperations.capitalized($0) }),
        (["length", "char_length", "character_length"], counted("length(text)") { TextOperations.characterCount($0) }),
        (["octet_length"], counted("octet_length(text)") { $0.count }),
        (["bit_length"], counted("bit_length(text)") { $0.count * 8 }),
        (["ascii"], counted("ascii(text)") { Int(TextOperations.string($0).unicodeScalars.first?.value ?? 0) }),
        (["trim", "btrim"], trimmed("trim(text[, characters])", start: true, end: true)),
        (["ltrim"], trimmed("ltrim(text[, characters])", start: true, end: false)),
        (["rtrim"], trimmed("rtrim(text[, characters])", start: false, end: true)),
        (
            ["substr", "substring"],
            function(
                "substr(text, start[, count])",
                [.text, .integer, .integer],
                optional: 1,
                canFail: true,
                .argument(0)
            ) {
                arguments throws(LanceError) in
                let texts = try arguments.texts(0)
                let starts = try FixedColumn<Int64>(arguments[1])
                let counts = try arguments.count > 2 ? FixedColumn<Int64>(arguments[2]) : nil
                return try arguments.rows { row, builder throws(LanceError) in
                    let count = counts?[row]
                    if let count, count < 0 { throw .invalidArgument("substr of a negative count: \(count)") }
                    try builder.append(bytes: TextOperations.substring(texts[row], starts[row], count))
                }
            }
        ),
        (["left"], ends("left(text, count)", fromStart: true)),
        (["right"], ends("right(text, count)", fromStart: false)),
        (
            ["replace"],
            function("replace(text, part, other)", [.text, .text, .text], .argument(0)) {
                arguments throws(LanceError) in
                let (texts, parts, others) = (try arguments.texts(0), try arguments.texts(1), try arguments.texts(2))
                return try arguments.rows { row, builder throws(LanceError) in
                    let result = TextOperations.replaced(texts[row], parts[row], others[row])
                    try builder.append(text: result)
                }
            }
        ),
        (
            ["translate"],
            function("translate(text, from, to)", [.text, .text, .text], .argument(0)) { arguments throws(LanceError) in
                let (texts, from, to) = (try arguments.texts(0), try arguments.texts(1), try arguments.texts(2))
                return try arguments.rows { row, builder throws(LanceError) in
                    let sources = Array(TextOperations.string(from[row]).unicodeScalars)
                    let targets = Array(TextOperations.string(to[row]).unicodeScalars)
                    var result = String.UnicodeScalarView()
                    for scalar in TextOperations.string(texts[row]).unicodeScalars {
                        guard let index = sources.firstIndex(of: scalar) else {
                            result.append(scalar)
                            continue
                        }
                        if index < targets.count { result.append(targets[index]) }
                    }
                    try builder.append(text: String(result))
                }
            }
        ),
        (
            ["repeat"],
            function("repeat(text, count)", [.text, .integer], canFail: true, .argument(0)) {
                arguments throws(LanceError) in
                let texts = try arguments.texts(0)
                let counts = try FixedColumn<Int64>(arguments[1])
                return try arguments.rows { row, builder throws(LanceError) in
                    let text = texts[row]
                    let count = Swift.max(counts[row], 0)
                    let size = count.multipliedReportingOverflow(by: Int64(text.count))
                    guard !size.overflow, size.partialValue <= 1 << 28 else {
                        throw .limitExceeded("repeat would make a text of more than 2^28 bytes")
                    }
                    try builder.append(
                        text: String(repeating: TextOperations.string(text), count: text.isEmpty ? 0 : Int(count))
                    )
                }
            }
        ),
        (["lpad"], padded("lpad(text, count[, filler])", atStart: true)),
        (["rpad"], padded("rpad(text, count[, filler])", atStart: false)),
        (
            ["split_part"],
            function("split_part(text, separator, n)", [.text, .text, .integer], .argument(0)) {
                arguments throws(LanceError) in
                let (texts, separators) = (try arguments.texts(0), try arguments.texts(1))
                let numbers = try FixedColumn<Int64>(arguments[2])
                return try arguments.rows { row, builder throws(LanceError) in
                    let parts = TextOperations.split(texts[row], separators[row])
                    let number = numbers[row]
                    let index = number > 0 ? number - 1 : Int64(parts.count) + number
                    let part =
                        index >= 0 && index < parts.count
                        ? parts[Int(index)] : UnsafeRawBufferPointer(start: nil, count: 0)
                    try builder.append(bytes: part)
                }
            }
        ),
        (
            ["starts_with"],
            tested("starts_with(text, start)") {
                $0.count >= $1.count && UnsafeRawBufferPointer(rebasing: $0.prefix($1.count)).equals($1)
            }
        ),
        (
            ["ends_with"],
            tested("ends_with(text, end)") {
                $0.count >= $1.count && UnsafeRawBufferPointer(rebasing: $0.suffix($1.count)).equals($1)
            }
        ),
        (["contains"], tested("contains(text, part)") { $0.firstIndex(of: $1) != nil }),
        (
            ["strpos", "instr", "position"],
            function("strpos(text, part)", [.text, .text], .type(.int32)) { arguments throws(LanceError) in
                let (texts, parts) = (try arguments.texts(0), try arguments.texts(1))
                return try arguments.rows { row, builder throws(LanceError) in
                    let place = texts[row].firstIndex(of: parts[row]).map { index in
                        TextOperations.characterCount(UnsafeRawBufferPointer(rebasing: texts[row].prefix(index))) + 1
                    }
                    try builder.append(integer: Int32(clamping: place ?? 0))
                }
            }
        ),
        (
            ["concat"],
            function("concat(value, …)", [.anyAsText], repeatsLast: true, .type(.utf8)) {
                arguments throws(LanceError) in
                try concatenated(arguments, from: 0, separator: nil)
            }
        ),
        (
            ["concat_ws"],
            function("concat_ws(separator, value, …)", [.text, .anyAsText], repeatsLast: true, .type(.utf8)) {
                arguments throws(LanceError) in
                try concatenated(arguments, from: 1, separator: try arguments.texts(0))
            }
        ),
        (
            ["||"],
            function("value || value", [.anyAsText, .anyAsText], .type(.utf8)) { arguments throws(LanceError) in
                let (left, right) = (try arguments.texts(0), try arguments.texts(1))
                return try arguments.rows { row, builder throws(LanceError) in
                    try builder.append(text: TextOperations.string(left[row]) + TextOperations.string(right[row]))
                }
            }
        ),
        (
            ["chr"],
            function("chr(number)", [.integer], canFail: true, .type(.utf8)) { arguments throws(LanceError) in
                let numbers = try FixedColumn<Int64>(arguments[0])
                return try arguments.rows { row, builder throws(LanceError) in
                    guard let code = UInt32(exactly: numbers[row]), let scalar = Unicode.Scalar(code), code > 0 else {
                        throw .invalidArgument("\(numbers[row]) is no character")
                    }
                    try builder.append(text: String(Character(scalar)))
                }
            }
        ),
    ]

    private static func mapped(_ usage: String, _ body: @escaping @Sendable (String) -> String) -> FunctionSignature {
        function(usage, [.text], .argument(0)) { arguments throws(LanceError) in
            let texts = try arguments.texts(0)
            return try arguments.rows { row, builder throws(LanceError) in
                try builder.append(text: body(TextOperations.string(texts[row])))
            }
        }
    }

    private static func counted(
        _ usage: String,
        _ body: @escaping @Sendable (UnsafeRawBufferPointer) -> Int
    ) -> FunctionSignature {
        function(usage, [.bytes], .type(.int32)) { arguments throws(LanceError) in
            let texts = try arguments.texts(0)
            return try arguments.rows { row, builder throws(LanceError) in
                try builder.append(integer: Int32(clamping: body(texts[row])))
            }
        }
    }

    private static func tested(
        _ usage: String,
        _ body: @escaping @Sendable (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) -> FunctionSignature {
        function(usage, [.text, .text], .type(.bool)) { arguments throws(LanceError) in
            let (texts, parts) = (try arguments.texts(0), try arguments.texts(1))
            return try arguments.truths { row in body(texts[row], parts[row]) }
        }
    }

    private static func trimmed(_ usage: String, start: Bool, end: Bool) -> FunctionSignature {
        function(usage, [.text, .text], optional: 1, .argument(0)) { arguments throws(LanceError) in
            let texts = try arguments.texts(0)
            let characters = try arguments.count > 1 ? arguments.texts(1) : nil
            return try arguments.rows { row, builder throws(LanceError) in
                let set = characters.map { Set(TextOperations.string($0[row]).unicodeScalars) } ?? [" "]
                var scalars = Substring.UnicodeScalarView(TextOperations.string(texts[row]).unicodeScalars)
                if start { scalars = scalars.drop { set.contains($0) } }
                if end { while let last = scalars.last, set.contains(last) { scalars.removeLast() } }
                try builder.append(text: String(scalars))
            }
        }
    }

    private static func ends(_ usage: String, fromStart: Bool) -> FunctionSignature {
        function(usage, [.text, .integer], .argument(0)) { arguments throws(LanceError) in
            let texts = try arguments.texts(0)
            let counts = try FixedColumn<Int64>(arguments[1])
            return try arguments.rows { row, builder throws(LanceError) in
                let text = texts[row]
                let total = Int64(TextOperations.characterCount(text))
                // A negative count is how many to leave out at the other end.
                let count =
                    counts[row] >= 0
                    ? Swift.min(counts[row], total) : Swift.max(total + Swift.max(counts[row], -total), 0)
                try builder.append(bytes: TextOperations.substring(text, fromStart ? 1 : total - count + 1, count))
            }
        }
    }

    private static func padded(_ usage: String, atStart: Bool) -> FunctionSignature {
        function(usage, [.text, .integer, .text], optional: 1, canFail: true, .argument(0)) {
            arguments throws(LanceError) in
            let texts = try arguments.texts(0)
            let counts = try FixedColumn<Int64>(arguments[1])
            let fillers = try arguments.count > 2 ? arguments.texts(2) : nil
            return try arguments.rows { row, builder throws(LanceError) in
                let scalars = Array(TextOperations.string(texts[row]).unicodeScalars)
                let filler = fillers.map { Array(TextOperations.string($0[row]).unicodeScalars) } ?? [" "]
                guard counts[row] <= 1 << 26 else { throw .limitExceeded("padding to more than 2^26 characters") }
                let count = Int(Swift.max(counts[row], 0))
                var result = String.UnicodeScalarView()
                let missing = filler.isEmpty ? 0 : Swift.max(count - scalars.count, 0)
                let padding = (0..<missing).map { filler[$0 % filler.count] }
                if atStart { result.append(contentsOf: padding) }
                result.append(contentsOf: scalars.prefix(count))
                if !atStart { result.append(contentsOf: padding) }
                try builder.append(text: String(result))
            }
        }
    }

    /// Texts put together; nulls are left out.
    private static func concatenated(
        _ arguments: FunctionArguments,
        from first: Int,
        separator: ByteColumn?
    ) throws(LanceError) -> ArrowArray {
        defer { withExtendedLifetime(arguments.operands) {} }
        var columns: [ByteColumn] = []
        for index in first..<arguments.count { columns.append(try arguments.texts(index)) }
        let builder = ColumnBuilder(arguments.type)
        for row in 0..<arguments.rowCount {
            if separator != nil, arguments[0].isNull(row) {
                builder.appendNull()
                continue
            }
            var parts: [String] = []
            for (index, column) in columns.enumerated() where !arguments[first + index].isNull(row) {
                parts.append(TextOperations.string(column[row]))
            }
            try builder.append(text: parts.joined(separator: separator.map { TextOperations.string($0[row]) } ?? ""))
        }
        return builder.finish()
    }
}
