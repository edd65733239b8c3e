import LancerBytes

/// Reads one column of one row group, some rows at a time.
final class LeafReader {
    /// How much a column may hold for one batch; reached, the batch ends with the row that did it.
    struct Budget: Sendable {
        var bytes: Int
        var entries: Int
    }

    let leaf: LeafColumn
    private let shape: ValueBuilder.Shape
    private var pages: PageReader
    private let budget: Budget
    private let valuesPerRow: Double
    private let builder: ValueBuilder
    private var dictionary: DictionaryPage?
    private var entriesLeft: Int
    private var rowsLeft: Int

    // The current page.
    private var pageLeft = 0
    private var repetitionDecoder = LevelDecoder.none
    private var definitionDecoder = LevelDecoder.none
    private var valueDecoder: ValueDecoder?

    // Levels decoded and not yet consumed.
    private static let step = 8192
    private let definitionScratch: UnsafeMutablePointer<UInt8>
    private let repetitionScratch: UnsafeMutablePointer<UInt8>
    private var scratchNext = 0
    private var scratchEnd = 0
    private var isAtStart = true

    private var pending: LeafChunk?
    /// A single row of more entries or bytes is refused; how many there may be depends on the bytes in the file, for a
    /// run or a dictionary stands for any number of values.
    private let largestRow: (entries: Int, bytes: Int)

    init(
        _ source: any ByteSource,
        _ chunk: ColumnChunk,
        leaf: LeafColumn,
        rows: Int,
        budget: Budget,
        readAhead: Int,
        allowance: Int
    ) throws(LanceError) {
        guard chunk.physicalType == leaf.physicalType || !chunk.hasMetadata else {
            throw .corrupt("column is \(leaf.physicalType) in the schema and \(chunk.physicalType) in a row group")
        }
        guard let count = Int(exactly: chunk.valueCount), count >= rows || chunk.isEncrypted || !chunk.hasMetadata
        else { throw .corrupt("column chunk of \(chunk.valueCount) values in a row group of \(rows) rows") }
        self.leaf = leaf
        self.budget = budget
        valuesPerRow = Double(count) / Double(max(rows, 1))
        shape = try ValueBuilder.Shape(leaf)
        pages = try PageReader(source, chunk, readAhead: readAhead, allowance: allowance)
        let stored = Int(clamping: min(max(chunk.compressedSize, 0), 1 << 32))
        largestRow = (min(1 << 27, 1 << 22 + stored << 10), min(Int(Int32.max), max(allowance / 2, stored << 8)))
        builder = ValueBuilder(shape)
        entriesLeft = count
        rowsLeft = rows
        definitionScratch = .allocate(capacity: Self.step)
        repetitionScratch = .allocate(capacity: Self.step)
    }

    deinit {
        definitionScratch.deallocate()
        repetitionScratch.deallocate()
    }

    /// How many rows are ready after reading up to `rows`; at least 1, unless `rows` is 0.
    func prepare(_ rows: Int) throws(LanceError) -> Int {
        if let pending, pending.rows > 0 { return min(pending.rows, rows) }
        let chunk = try fill(rows)
        pending = chunk
        return chunk.rows
    }

    /// Takes rows that were made ready.
    func take(_ rows: Int) throws(LanceError) -> LeafChunk {
        guard let chunk = pending?.take(rows, maximumDefinition: leaf.maximumDefinition) else {
            throw .corrupt("Parquet column \"\(leaf.path)\" has too few rows")
        }
        return chunk
    }

    /// Checks that nothing is left when all rows were taken.
    func finish() throws(LanceError) {
        guard scratchNext == scratchEnd, pageLeft == 0, entriesLeft == 0, pending?.rows ?? 0 == 0 else {
            throw .corrupt("the column has more rows than its row group")
        }
    }

    private func fill(_ wanted: Int) throws(LanceError) -> LeafChunk {
        var levels = LevelCollector(maximum: leaf.maximumDefinition, isNested: leaf.maximumRepetition > 0)
        var repetitions = BufferBuilder()
        var rows = 0
        var target = min(wanted, rowsLeft)
        let isNested = leaf.maximumRepetition > 0
        let expected = valuesPerRow * Double(target) * 1.03
        builder.expect(Int(min(expected, 0x1p40)), atMost: budget.bytes)
        while isNested || rows < target {
            if scratchNext == scratchEnd, try !decodeLevels() { break }
            let available = scratchEnd - scratchNext
            let now: Int
            if isNested {
                if isAtStart, repetitionScratch[scratchNext] != 0 {
                    throw .corrupt("the first row of a column goes on from a row before")
                }
                isAtStart = false
                now = entries(available, upTo: target - rows, &rows)
                if now == 0 { break }
                repetitions.append(UnsafeRawBufferPointer(start: repetitionScratch + scratchNext, count: now))
            } else {
                now = min(available, target - rows)
                rows += now
            }
            try valueDecoder?.decode(levels.append(definitionScratch + scratchNext, now), into: builder)
            scratchNext += now
            let entries = levels.count
            if builder.sizeInBytes > budget.bytes || entries > budget.entries {
                target = rows
                // What came before the last row fits the budget.
                guard entries - budget.entries < largestRow.entries,
                    builder.sizeInBytes - budget.bytes < largestRow.bytes
                else { throw .limitExceeded("a single row of \(entries) values and \(builder.sizeInBytes) bytes") }
            }
        }
        guard rows > 0 || wanted == 0 else { throw .truncated("the column ends before its row group does") }
        rowsLeft -= rows
        return LeafChunk(
            rows: rows,
            count: levels.count,
            definitions: levels.finish(),
            repetitions: isNested ? repetitions.finish() : nil,
            values: builder.finish()
        )
    }

    /// How many of the next `available` entries belong to the row at hand and to `limit` more; counts those that start.
    private func entries(_ available: Int, upTo limit: Int, _ rows: inout Int) -> Int {
        let levels = repetitionScratch + scratchNext
        let starting = available - LevelBytes.count(levels, available, atLeast: 1)
        if starting <= limit {
            rows += starting
            return available
        }
        var started = 0
        for index in 0..<available where levels[index] == 0 {
            if started == limit {
                rows += started
                return index
            }
            started += 1
        }
        return available
    }

    /// Decodes the next levels into the scratch memory; false at the end of the column.
    private func decodeLevels() throws(LanceError) -> Bool {
        while pageLeft == 0 {
            if try !nextPage() { return false }
        }
        // Few at a time where values are long, so that what they take together can be watched.
        let longest = max(valueDecoder?.longest ?? 1, 1)
        let count = min(pageLeft, Self.step, max(budget.bytes / longest, 1))
        if leaf.maximumRepetition > 0 {
            try repetitionDecoder.decode(count, maximum: leaf.maximumRepetition, into: repetitionScratch)
        }
        if leaf.maximumDefinition > 0 {
            try definitionDecoder.decode(count, maximum: leaf.maximumDefinition, into: definitionScratch)
        }
        pageLeft -= count
        scratchNext = 0
        scratchEnd = count
        return true
    }

    private func nextPage() throws(LanceError) -> Bool {
        // Pages may be large: the old one goes before the next one comes.
        valueDecoder = nil
        repetitionDecoder = .none
        definitionDecoder = .none
        guard entriesLeft > 0, let (header, bytes) = try pages.next() else {
            guard entriesLeft == 0 else {
                throw .truncated("the pages of a column end \(entriesLeft) values before its column chunk")
            }
            return false
        }
        if header.kind == .dictionary {
            try readDictionary(header, bytes)
            return true
        }
        guard header.valueCount <= entriesLeft else {
            throw .corrupt("a page of \(header.valueCount) values where the column chunk has \(entriesLeft) left")
        }
        entriesLeft -= header.valueCount
        pageLeft = header.valueCount
        var content: ArrowBuffer
        var offset = 0
        if header.kind == .dataV2 {
            let levels = header.repetitionSize + header.definitionSize
            content = try pages.values(header, bytes)
            let repetitionRange = 0..<header.repetitionSize
            repetitionDecoder = try LevelDecoder(bytes, repetitionRange, maximum: leaf.maximumRepetition)
            definitionDecoder = try LevelDecoder(
                bytes,
                header.repetitionSize..<levels,
                maximum: leaf.maximumDefinition
            )
        } else {
            content = try pages.content(header, bytes)
            repetitionDecoder = try LevelDecoder(
                content,
                &offset,
                maximum: leaf.maximumRepetition,
                encoding: header.repetitionEncoding,
                count: pageLeft
            )
            definitionDecoder = try LevelDecoder(
                content,
                &offset,
                maximum: leaf.maximumDefinition,
                encoding: header.definitionEncoding,
                count: pageLeft
            )
        }
        if content.count == offset, header.encoding != .rleDictionary, header.encoding != .plainDictionary {
            // Nothing but nulls: some writers leave out even the header of the encoding.
            content = .empty
            valueDecoder = try decoder(content, encoding: .plain, count: pageLeft)
        } else {
            valueDecoder = try decoder(content, at: offset, encoding: header.encoding, count: pageLeft)
        }
        return true
    }

    private func decoder(
        _ content: ArrowBuffer,
        at offset: Int = 0,
        encoding: ParquetEncoding,
        count: Int
    ) throws(LanceError) -> ValueDecoder {
        try ValueDecoder(
            content,
            at: offset,
            encoding: encoding,
            leaf: leaf,
            shape: shape,
            dictionary: dictionary,
            count: count
        )
    }

    private func readDictionary(_ header: PageHeader, _ bytes: ArrowBuffer) throws(LanceError) {
        guard dictionary == nil else { throw .corrupt("a column chunk with two dictionaries") }
        guard header.encoding == .plain || header.encoding == .plainDictionary, shape != .bits else {
            throw .unsupported("a dictionary of \(leaf.physicalType) in encoding \(header.encoding)")
        }
        let content = try pages.content(header, bytes)
        var decoder = try decoder(content, encoding: .plain, count: header.valueCount)
        let values = ValueBuilder(shape)
        let smallest = shape == .bytes ? 4 : 1
        guard header.valueCount <= content.count / smallest else {
            throw .truncated("a dictionary of \(header.valueCount) values in \(content.count) bytes")
        }
        try decoder.decode(header.valueCount, into: values)
        dictionary = DictionaryPage(values.finish())
    }
}
