import Lancer

/// Prints batches as an aligned table; the first rows decide the widths of the columns.
struct TablePrinter {
    private static let sampledRows = 500
    /// Bytes of a cell that are looked at.
    private static let longestCell = 4096

    private let schema: ArrowSchema
    private let sink: FileSink
    private let columns: [TextTable.Column]
    private var sample: [[String]] = []
    private var layout: TextTable.Layout?
    private var rowCount = 0

    init(schema: ArrowSchema, sink: FileSink) {
        self.schema = schema
        self.sink = sink
        columns = schema.fields.map { TextTable.Column(title: $0.name, isNumeric: $0.type.isNumberLike) }
    }

    mutating func write(_ batch: RecordBatch) throws {
        rowCount += batch.rowCount
        let formatters = batch.columns.map { CellFormatter($0, style: .cell) }
        for row in 0..<batch.rowCount {
            let cells = formatters.map { Self.cell(of: $0, row) }
            if let layout {
                try sink.write("\(layout.line(cells))\n")
            } else {
                sample.append(cells)
                if sample.count == Self.sampledRows { try startTable() }
            }
        }
    }

    /// The value on one line; of very long ones only as much as could ever be shown.
    private static func cell(of formatter: CellFormatter, _ row: Int) -> String {
        if formatter.isNull(row) { return "null" }
        var text = BufferBuilder()
        formatter.append(row, to: &text)
        let bytes = text.finish()
        return bytes.withUnsafeBytes { String(decoding: $0.prefix(longestCell), as: UTF8.self) }.visible
    }

    mutating func finish() throws {
        if layout == nil { try startTable() }
        try sink.write("\(rowCount.counted("row"))\n")
        try sink.flush()
    }

    private mutating func startTable() throws {
        var layout = TextTable.Layout(columns)
        layout.fit(sample, terminalWidth: Terminal.width)
        if !columns.isEmpty { try sink.write("\(layout.heading())\n") }
        for cells in sample where !columns.isEmpty { try sink.write("\(layout.line(cells))\n") }
        sample = []
        self.layout = layout
    }
}

extension ArrowType {
    /// Whether values stand at the right of their column.
    fileprivate var isNumberLike: Bool {
        switch self {
        case .decimal128, .decimal256, .duration: true
        default: isInteger || isFloat
        }
    }
}
