import LancerBytes

extension ArrowArray {
    /// The values whose bit is set.
    ///
    /// - Throws: `invalidArgument` when there is not one bit for each value.
    public func filter(_ selection: Bitmap) throws(LanceError) -> ArrowArray {
        guard selection.count == length else {
            throw .invalidArgument("\(selection.count) selection bits for \(length) values")
        }
        let setCount = selection.setCount
        if setCount == 0 { return slice(0..<0) }
        if setCount == length { return self }
        // Copying by runs pays from a few values a run on.
        if setCount < selection.setRunCount * 4 { return try filter(bits: selection, setCount) }
        return try filter(runs: selection.setRuns)
    }

    /// The values of runs inside the array.
    fileprivate func filter(runs: [GatherRange]) throws(LanceError) -> ArrowArray {
        if runs.isEmpty { return slice(0..<0) }
        if runs.count == 1 { return slice(runs[0].start..<(runs[0].start + runs[0].count)) }
        let total = runs.reduce(0) { $0 + $1.count }
        if total >= runs.count * 4 { return try gather(runs) }
        return try gather(runs.flatMap { $0.start..<($0.start + $0.count) })
    }
}

extension Bitmap {
    /// The runs of set bits, in order.
    var setRuns: [GatherRange] {
        var runs: [GatherRange] = []
        forEachSetRun { runs.append(GatherRange(start: $0.lowerBound, count: $0.count)) }
        return runs
    }

    /// Calls `body` with every longest run of set bits, in order.
    @inline(__always)
    package func forEachSetRun(_ body: (Range<Int>) -> Void) {
        buffer.withUnsafeBytes { bytes in
            let reader = BitReader(bytes, offset: bitOffset)
            var runStart = -1
            var index = 0
            while index < count {
                let size = Swift.min(64, count - index)
                let mask: UInt64 = size == 64 ? .max : (1 &<< UInt64(size)) &- 1
                let word = reader.word(at: index, bits: size) & mask
                if word == mask {
                    if runStart < 0 { runStart = index }
                } else if word == 0 {
                    if runStart >= 0 { body(runStart..<index) }
                    runStart = -1
                } else {
                    var position = 0
                    while position < size {
                        let rest = word &>> UInt64(position)
                        if runStart < 0 {
                            let zeros = rest.trailingZeroBitCount
                            if zeros >= size - position { break }
                            position += zeros
                            runStart = index + position
                        } else {
                            position += (~rest).trailingZeroBitCount
                            if position >= size { break }
                            body(runStart..<(index + position))
                            runStart = -1
                        }
                    }
                }
                index += size
            }
            if runStart >= 0 { body(runStart..<count) }
        }
    }
}

extension RecordBatch {
    /// The rows whose bit is set.
    ///
    /// - Throws: `invalidArgument` when there is not one bit for each row.
    public func filter(_ selection: Bitmap) throws(LanceError) -> RecordBatch {
        guard selection.count == rowCount else {
            throw .invalidArgument("\(selection.count) selection bits for \(rowCount) rows")
        }
        let setCount = selection.setCount
        var result: [ArrowArray] = []
        if setCount < selection.setRunCount * 4 {
            for column in columns { result.append(try column.filter(bits: selection, setCount)) }
        } else {
            let runs = selection.setRuns
            for column in columns { result.append(try column.filter(runs: runs)) }
        }
        return RecordBatch(unchecked: schema, result, rowCount: setCount)
    }

    /// The rows at `rows`, in that order, repeats allowed.
    ///
    /// - Throws: `invalidArgument` when a row does not exist.
    public func gather(_ rows: [Int]) throws(LanceError) -> RecordBatch {
        if let bad = rows.first(where: { $0 < 0 || $0 >= rowCount }) {
            throw .invalidArgument("row \(bad) is outside a batch of \(rowCount) rows")
        }
        var result: [ArrowArray] = []
        for column in columns { result.append(try column.gather(rows)) }
        return RecordBatch(unchecked: schema, result, rowCount: rows.count)
    }

    /// The columns called `names`, in that order.
    ///
    /// - Throws: `notFound` when there is no such column.
    public func select(_ names: [String]) throws(LanceError) -> RecordBatch {
        var fields: [ArrowField] = []
        var selected: [ArrowArray] = []
        for name in names {
            guard let index = schema.index(of: name) else {
                throw LanceError(.notFound, "there is no column \"\(name)\"")
            }
            fields.append(schema.fields[index])
            selected.append(columns[index])
        }
        return RecordBatch(unchecked: ArrowSchema(fields, metadata: schema.metadata), selected, rowCount: rowCount)
    }

    /// All rows of several batches of the same columns, under the first one's schema.
    ///
    /// - Throws: `schemaMismatch` when column names or types differ, `invalidArgument` when there are no batches,
    ///   `limitExceeded` when 32-bit offsets overflow.
    public static func concatenating(_ batches: [RecordBatch]) throws(LanceError) -> RecordBatch {
        guard let first = batches.first else { throw .invalidArgument("no batches to concatenate") }
        if batches.count == 1 { return first }
        let names = first.schema.fields.map(\.name)
        for batch in batches where batch.schema.fields.map(\.name) != names {
            throw .schemaMismatch("batches of different columns cannot be concatenated")
        }
        var columns: [ArrowArray] = []
        for index in names.indices {
            columns.append(try ArrowArray.concatenating(batches.map { $0.columns[index] }))
        }
        return RecordBatch(unchecked: first.schema, columns, rowCount: batches.reduce(0) { $0 + $1.rowCount })
    }

    /// Whether both hold the same columns and the same values; see ``ArrowArray/isEqual(to:)``.
    public func isEqual(to other: RecordBatch) -> Bool { firstDifference(from: other) == nil }

    /// Where the batches differ, or nil when they do not.
    public func firstDifference(from other: RecordBatch) -> String? {
        if schema.fields != other.schema.fields { return "schemas differ: \(schema) and \(other.schema)" }
        if rowCount != other.rowCount { return "\(rowCount) and \(other.rowCount) rows" }
        for (index, field) in schema.fields.enumerated() {
            if let difference = columns[index].firstDifference(from: other.columns[index]) {
                return "column \"\(field.name)\": \(difference)"
            }
        }
        return nil
    }
}
