/// What is wrong with a JSON text, and under which key; becomes a `LanceError` with the line's number.
struct JSONFault: Error {
    let message: String
    /// Whether the text is no JSON at all, rather than JSON that does not go with its schema.
    let isSyntax: Bool
    /// Keys and indices from the outermost in, to the value at fault.
    private var path: [String] = []

    @inline(never)
    init(_ message: String) {
        self.message = message
        isSyntax = false
    }

    @inline(never)
    init(syntax message: String) {
        self.message = message
        isSyntax = true
    }

    /// The same fault seen from the parent, where the value at fault is called `key`.
    func under(_ key: String) -> JSONFault {
        var copy = self
        copy.path.insert("." + key, at: 0)
        return copy
    }

    /// The same fault seen from the list of which the value at fault is item `index`.
    func under(index: Int) -> JSONFault {
        var copy = self
        copy.path.insert("[\(index)]", at: 0)
        return copy
    }

    /// `a.b[3]: message`.
    var description: String {
        let keys = path.joined()
        return keys.isEmpty ? message : "\(keys.hasPrefix(".") ? String(keys.dropFirst()) : keys): \(message)"
    }
}
