import Lancer

/// What `inspect` found: facts for people as labelled lines, for machines as members of a JSON object, then tables.
struct Report {
    private var facts: [(label: String, text: String)] = []
    private var members: [(String, JSONText)] = []
    private var tables: [TextTable] = []

    /// Adds a fact; a nil text keeps it from people, a nil JSON value from machines.
    mutating func add(_ label: String, _ text: String?, _ key: String? = nil, _ json: JSONText? = nil) {
        if let text { facts.append((label, text)) }
        if let json { members.append((key ?? label, json)) }
    }

    /// Adds a count.
    mutating func add(_ label: String, count: some BinaryInteger, _ key: String? = nil, note: String = "") {
        add(label, count.grouped + note, key, .count(count))
    }

    /// Adds a table that follows the facts, and its rows for machines.
    mutating func add(_ table: TextTable, _ key: String, _ json: [JSONText]) {
        tables.append(table)
        members.append((key, .array(json)))
    }

    /// Writes the report to standard output.
    func show(json: Bool) throws {
        let out = standardOutput()
        if json {
            try out.write("\(JSONText.object(members).line)\n")
        } else {
            let width = facts.map { $0.label.count }.max() ?? 0
            for fact in facts {
                let padding = String(repeating: " ", count: width - fact.label.count)
                try out.write("\(fact.label)\(padding)  \(fact.text.visible)\n")
            }
            for table in tables {
                try out.write("\n")
                for line in table.lines() { try out.write("\(line)\n") }
            }
        }
        try out.flush()
    }
}

/// A list of things, one a line: a table for people, a JSON object a line for machines.
struct Listing {
    private var table: TextTable
    private var objects: [JSONText] = []

    /// Titles as for ``TextTable/init(_:)``.
    init(_ columns: [TextTable.Column]) { table = TextTable(columns) }

    mutating func add(_ cells: [String], _ members: [(String, JSONText)]) {
        table.rows.append(cells)
        objects.append(.object(members))
    }

    /// Writes the list to standard output. File names and encodings are shown in full unless a terminal is narrow.
    func show(json: Bool) throws {
        let out = standardOutput()
        if json {
            for object in objects { try out.write("\(object.line)\n") }
        } else {
            for line in table.lines(cutsCells: Terminal.width != nil) { try out.write("\(line)\n") }
        }
        try out.flush()
    }
}

extension TextTable.Column {
    /// A column of text.
    static func text(_ title: String) -> TextTable.Column { TextTable.Column(title: title) }
    /// A column of numbers.
    static func number(_ title: String) -> TextTable.Column { TextTable.Column(title: title, isNumeric: true) }
}
