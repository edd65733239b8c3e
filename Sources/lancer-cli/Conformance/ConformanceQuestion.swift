import Lancer

/// A question with a part that Lancer does not know.
struct QuestionNotSupported: Error {
    let what: String
}

/// A question: a JSON object of which every member must be known.
struct ConformanceQuestion {
    private let json: JSONDocument

    /// - Parameter path: A file; nil for the empty question.
    /// - Throws: `invalidArgument`, `io`, ``QuestionNotSupported``.
    init(_ path: String?, known: Set<String>) throws {
        guard let path else {
            json = .object([:])
            return
        }
        json = try Self.load(path)
        guard case .object(let members) = json else {
            throw LanceError(.invalidArgument, "\(path) holds no JSON object")
        }
        if let stranger = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw QuestionNotSupported(what: "member \(stranger)")
        }
    }

    /// The JSON in a file.
    static func load(_ path: String) throws(LanceError) -> JSONDocument {
        let source = try FileSource(path)
        let bytes = try source.read(offset: 0, count: Int(clamping: source.size ?? 0)).bytes
        return try JSONDocument(parsing: bytes, fault: .invalidArgument)
    }

    subscript(name: String) -> JSONDocument? { json[name] }

    /// A member that must be there, in one form.
    func required<T>(_ name: String, _ form: (JSONDocument) -> T?) throws(LanceError) -> T {
        guard let value = json[name].flatMap(form) else {
            throw LanceError(.invalidArgument, "the question has no \(name), or in another form")
        }
        return value
    }

    /// `{"column": …, "in": […]}` as a condition.
    func condition(_ name: String = "where") throws(LanceError) -> String {
        guard let column = json[name]?["column"]?.text, let values = json[name]?["in"]?.items, !values.isEmpty else {
            throw LanceError(.invalidArgument, "the question has no \(name), or in another form")
        }
        var texts: [String] = []
        for value in values {
            guard let text = value.text else {
                throw LanceError(.invalidArgument, "\(name) with a value that is no text")
            }
            texts.append(Self.literal(text))
        }
        return "\(Self.quoted(column)) in (\(texts.joined(separator: ", ")))"
    }

    /// A whole number as it is, everything else as text.
    static func literal(_ text: String) -> String {
        Int64(text) != nil
            ? text : "'\(text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
    }

    /// A column's name in an expression.
    static func quoted(_ name: String) -> String {
        "`\(name)`"
    }
}
