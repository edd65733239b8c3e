import LancerArrow
import LancerBytes

extension FunctionCatalog {
    static let regex: [([String], FunctionSignature)] = [
        (
            ["regexp_like"],
            function(
                "regexp_like(text, pattern[, flags])",
                [.text, .text, .text],
                optional: 1,
                canFail: true,
                .type(.bool)
            ) { arguments throws(LanceError) in
                let texts = try arguments.texts(0)
                let patterns = try PatternColumn(arguments, 1, flags: 2)
                return try arguments.truths { row throws(LanceError) in
                    try patterns.regex(row).matches(scalars(texts[row]))
                }
            }
        ),
        (
            ["regexp_match"],
            function(
                "regexp_match(text, pattern[, flags])",
                [.text, .text, .text],
                optional: 1,
                canFail: true,
                .type(.list(ArrowField("item", .utf8)))
            ) { arguments throws(LanceError) in
                let texts = try arguments.texts(0)
                let patterns = try PatternColumn(arguments, 1, flags: 2)
                return try arguments.rows { row, builder throws(LanceError) in
                    let text = scalars(texts[row])
                    let regex = try patterns.regex(row)
                    guard let found = regex.find(text, from: 0) else { return builder.appendNull() }
                    // The groups, or without any the whole.
                    for group in regex.groupCount == 0 ? 0...0 : 1...regex.groupCount {
                        if found[group * 2] < 0 {
                            builder.children[0].appendNull()
                        } else {
                            try builder.children[0].append(text: string(text[found[group * 2]..<found[group * 2 + 1]]))
                        }
                    }
                    try builder.endValue()
                }
            }
        ),
        (
            ["regexp_count"],
            function("regexp_count(text, pattern)", [.text, .text], canFail: true, .type(.int64)) {
                arguments throws(LanceError) in
                let texts = try arguments.texts(0)
                let patterns = try PatternColumn(arguments, 1, flags: 2)
                return try arguments.rows { row, builder throws(LanceError) in
                    builder.append(
                        raw: Int64(occurrences(try patterns.regex(row), in: scalars(texts[row]), all: true).count)
                    )
                }
            }
        ),
        (
            ["regexp_replace"],
            function(
                "regexp_replace(text, pattern, other[, flags])",
                [.text, .text, .text, .text],
                optional: 1,
                canFail: true,
                .argument(0)
            ) { arguments throws(LanceError) in
                let texts = try arguments.texts(0)
                let others = try arguments.texts(2)
                let patterns = try PatternColumn(arguments, 1, flags: 3)
                return try arguments.rows { row, builder throws(LanceError) in
                    let text = scalars(texts[row])
                    let template = Array(scalars(others[row]))
                    var result: [Unicode.Scalar] = []
                    var end = 0
                    for found in occurrences(try patterns.regex(row), in: text, all: patterns.flags(row).contains("g"))
                    {
                        result.append(contentsOf: text[end..<found[0]])
                        result.append(contentsOf: expanded(template, found, text))
                        end = found[1]
                    }
                    result.append(contentsOf: text[end...])
                    try builder.append(text: string(result[...]))
                }
            }
        ),
    ]

    private static func scalars(_ bytes: UnsafeRawBufferPointer) -> [Unicode.Scalar] {
        Array(TextOperations.string(bytes).unicodeScalars)
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Occurrences one behind the other.
    private static func occurrences(_ regex: Regex, in text: [Unicode.Scalar], all: Bool) -> [[Int]] {
        var result: [[Int]] = []
        var start = 0
        while start <= text.count, let found = regex.find(text, from: start) {
            result.append(found)
            if !all { break }
            start = found[1] > found[0] ? found[1] : found[1] + 1
        }
        return result
    }

    /// A replacement with `\1` and `\&` or `$1` and `${1}` filled in.
    private static func expanded(
        _ template: [Unicode.Scalar],
        _ found: [Int],
        _ text: [Unicode.Scalar]
    ) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var index = 0
        while index < template.count {
            let scalar = template[index]
            index += 1
            guard scalar == "\\" || scalar == "$", index < template.count else {
                result.append(scalar)
                continue
            }
            let isBraced = scalar == "$" && template[index] == "{"
            var place = isBraced ? index + 1 : index
            var digits = ""
            while place < template.count, ("0"..."9").contains(template[place]), digits.count < 3 {
                digits.unicodeScalars.append(template[place])
                place += 1
            }
            if isBraced {
                guard place < template.count, template[place] == "}" else {
                    result.append(scalar)
                    continue
                }
                place += 1
            }
            guard let group = Int(digits) else {
                if template[index] == scalar { index += 1 }
                result.append(scalar)
                continue
            }
            index = place
            if group * 2 + 1 < found.count, found[group * 2] >= 0 {
                result.append(contentsOf: text[found[group * 2]..<found[group * 2 + 1]])
            }
        }
        return result
    }
}

/// Patterns of rows, made ready once when they are constant.
private struct PatternColumn {
    private let patterns: ByteColumn
    private let flagTexts: ByteColumn?
    private var constant: Regex?

    init(_ arguments: FunctionArguments, _ index: Int, flags: Int) throws(LanceError) {
        patterns = try arguments.texts(index)
        flagTexts = try arguments.count > flags ? arguments.texts(flags) : nil
        let isConstant = arguments[index].isConstant && (arguments.count <= flags || arguments[flags].isConstant)
        let hasNull = arguments[index].isNull(0) || arguments.count > flags && arguments[flags].isNull(0)
        if isConstant, !hasNull { constant = try made(0) }
    }

    private func made(_ row: Int) throws(LanceError) -> Regex {
        try Regex(TextOperations.string(patterns[row]), flags: flags(row))
    }

    func flags(_ row: Int) -> String { flagTexts.map { TextOperations.string($0[row]) } ?? "" }

    func regex(_ row: Int) throws(LanceError) -> Regex {
        if let constant { return constant }
        return try made(row)
    }
}
