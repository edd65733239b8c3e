import Lancer

/// Prints batches as an aligned table; the first rows decide the widths of the columns.
struct TablePrinter {
    private static let sampledRows = 500

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
        for row in 0..<batch.rowCount {
            let cells = batch.columns.map { $0.cell(at: row) }
            if let layout {
                try sink.write("\(layout.line(cells))\n")
            } else {
                sample.append(cells)
                if sample.count == Self.sampledRows { try startTable() }
            }
        }
    }

    mutating func finish() throws {
        if layout == nil { try startTable() }
        try sink.write(rowCount == 1 ? "1 row\n" : "\(rowCount.grouped) rows\n")
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
