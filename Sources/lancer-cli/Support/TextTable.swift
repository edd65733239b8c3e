/// A table of cells laid out in aligned columns.
struct TextTable {
    /// A column's heading and whether its cells stand at the right, as numbers do.
    struct Column {
        var title: String
        var isNumeric = false
    }

    /// Widest cell when there is no terminal to fit.
    static let widestCell = 40
    /// A column is never made narrower than this to fit a terminal.
    private static let narrowestCell = 6
    private static let gap = "  "

    var columns: [Column]
    var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// Columns named by their titles; a trailing `#` makes a column numeric.
    init(_ titles: String...) {
        columns = titles.map { title in
            title.hasSuffix("#") ? Column(title: String(title.dropLast()), isNumeric: true) : Column(title: title)
        }
    }

    /// The table as lines, heading first, cells cut so that it fits `terminalWidth` (nil: cells of at most 40).
    func lines(terminalWidth: Int? = Terminal.width, cutsCells: Bool = true) -> [String] {
        var layout = Layout(columns)
        let cells = rows.map { $0.map(\.visible) }
        layout.fit(cells, terminalWidth: terminalWidth, cutsCells: cutsCells)
        return [layout.heading()] + cells.map { layout.line($0) }
    }

    /// Widths fixed from the first rows and kept for all later ones, so that a stream can be shown.
    ///
    /// Numbers are never cut: a part of a number is a wrong number.
    struct Layout {
        private let columns: [Column]
        private var widths: [Int]
        /// Where cells are cut; later rows may be wider than the first ones were.
        private var limits: [Int]

        init(_ columns: [Column]) {
            self.columns = columns
            widths = columns.map { $0.title.visible.displayWidth }
            limits = columns.map { _ in Int.max }
        }

        /// Chooses the widths for `cells` (already made visible).
        mutating func fit(_ cells: [[String]], terminalWidth: Int?, cutsCells: Bool = true) {
            for row in cells {
                for (index, cell) in row.enumerated() where index < widths.count {
                    widths[index] = max(widths[index], cell.displayWidth)
                }
            }
            guard cutsCells else { return }
            let text = columns.indices.filter { !columns[$0].isNumeric }
            guard let terminalWidth else {
                for index in text {
                    limits[index] = TextTable.widestCell
                    widths[index] = min(widths[index], TextTable.widestCell)
                }
                return
            }
            let room = terminalWidth - widths.reduce(0, +) - TextTable.gap.count * (widths.count - 1)
            if room < 0 { shrink(text, by: -room) }
            // What is left may go to a later, longer cell.
            for index in text { limits[index] = widths[index] + max(0, room) }
        }

        /// Takes from the widest column until the line fits or every column is narrow.
        private mutating func shrink(_ candidates: [Int], by count: Int) {
            var excess = count
            while excess > 0, let widest = candidates.max(by: { widths[$0] < widths[$1] }),
                widths[widest] > TextTable.narrowestCell
            {
                let next = candidates.map { widths[$0] }.filter { $0 < widths[widest] }.max() ?? 0
                let step = min(excess, widths[widest] - max(next, TextTable.narrowestCell))
                widths[widest] -= max(1, step)
                excess -= max(1, step)
            }
        }

        func heading() -> String { line(columns.map(\.title.visible)) }

        func line(_ cells: [String]) -> String {
            var text = ""
            for (index, cell) in cells.enumerated() where index < widths.count {
                if index > 0 { text += TextTable.gap }
                let (shown, width) = cell.cut(to: limits[index])
                let padding = String(repeating: " ", count: max(0, widths[index] - width))
                if columns[index].isNumeric {
                    text += padding + shown
                } else {
                    text += shown + (index == widths.count - 1 ? "" : padding)
                }
            }
            while text.last == " " { text.removeLast() }
            return text
        }
    }
}

extension String {
    /// Columns the text takes on a terminal: wide East Asian characters and emoji count two.
    var displayWidth: Int {
        if utf8.allSatisfy({ $0 < 0x80 }) { return utf8.count }
        return reduce(0) { $0 + $1.displayWidth }
    }

    /// The text, or its beginning and an ellipsis, in at most `limit` columns, and how many columns it takes.
    func cut(to limit: Int) -> (text: String, width: Int) {
        let whole = displayWidth
        guard whole > limit else { return (self, whole) }
        var result = ""
        var used = 0
        for character in self {
            let next = character.displayWidth
            if used + next > limit - 1 { break }
            result.append(character)
            used += next
        }
        return (result + "…", used + 1)
    }
}

extension Character {
    /// Columns the character takes on a terminal.
    fileprivate var displayWidth: Int {
        guard let scalar = unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0..<0x300: return 1
        case 0x300..<0x370, 0x200B...0x200F, 0xFE00...0xFE0F: return 0
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
