import LancerBytes

/// The portable serialization, little-endian:
///
///     u32  12346, then u32 number of groups          no group is stored as runs
///     u32  12347 | (number of groups - 1) << 16      some are: a bit for each group follows, set = runs
///     per group: u16 high bits, u16 number of values - 1
///     per group: u32 position of its data            left out after 12347 with fewer than four groups
///     per group: runs:   u16 number of runs, per run u16 first value, u16 length - 1
///                array:  u16 values                   up to 4096 values
///                bitmap: 1024 x u64                   more values
///
/// Spec: 10-table.md, "Roaring bitmaps" (RoaringFormatSpec, portable). Deletion files `.bin`, index fragment bitmaps.
extension RoaringBitmap {
    private static let plainCookie: UInt32 = 12_346
    private static let runCookie: UInt32 = 12_347
    /// With runs and fewer groups than this there are no positions.
    private static let positionThreshold = 4

    /// Reads a serialized set that fills the buffer.
    ///
    /// - Throws: `truncated` for too few bytes; `corrupt` for an unknown form, unsorted or repeated keys and values,
    ///   wrong counts or positions, and bytes that are left over.
    package init(serialized buffer: ArrowBuffer) throws(LanceError) {
        var reader = ByteReader(buffer, what: "Roaring bitmap")
        try self.init(from: &reader)
        guard reader.remaining == 0 else {
            throw .corrupt("\(reader.remaining) bytes follow the Roaring bitmap of \(reader.offset) bytes")
        }
    }

    /// Reads a serialized set from the reader's place on.
    ///
    /// - Throws: as ``init(serialized:)``.
    package init(from reader: inout ByteReader) throws(LanceError) {
        let start = reader.offset
        let cookie = try reader.read(UInt32.self)
        let groupCount: Int
        var runFlags = ArrowBuffer.empty
        if cookie & 0xFFFF == Self.runCookie {
            groupCount = Int(cookie >> 16) + 1
            runFlags = try reader.take((groupCount + 7) / 8)
        } else if cookie == Self.plainCookie {
            groupCount = Int(try reader.read(UInt32.self))
            guard groupCount <= 1 << 16 else { throw .corrupt("Roaring bitmap of \(groupCount) groups") }
        } else {
            throw .corrupt("Roaring bitmap starts with \(cookie), not 12346 or 12347")
        }
        var header = ByteReader(try reader.take(groupCount * 4), what: "Roaring bitmap header")
        let hasPositions = cookie == Self.plainCookie || groupCount >= Self.positionThreshold
        var positions = ByteReader(
            try reader.take(hasPositions ? groupCount * 4 : 0),
            what: "Roaring bitmap positions"
        )
        let isRun = runFlags.bytes
        var keys: [UInt16] = []
        var containers: [RoaringContainer] = []
        keys.reserveCapacity(groupCount)
        containers.reserveCapacity(groupCount)
        for index in 0..<groupCount {
            let key = try header.read(UInt16.self)
            let count = Int(try header.read(UInt16.self)) + 1
            if let previous = keys.last, previous >= key {
                throw .corrupt("Roaring bitmap group \(key) follows group \(previous)")
            }
            if hasPositions {
                let position = try positions.read(UInt32.self)
                guard UInt64(position) == UInt64(reader.offset - start) else {
                    throw .corrupt("Roaring bitmap group \(key) is at \(reader.offset - start), not at \(position)")
                }
            }
            let hasRuns = !isRun.isEmpty && isRun[index / 8] >> UInt8(index % 8) & 1 == 1
            keys.append(key)
            if hasRuns {
                containers.append(try Self.readRuns(&reader, count: count))
            } else if count <= RoaringContainer.arrayLimit {
                containers.append(try Self.readArray(&reader, count: count))
            } else {
                containers.append(try Self.readWords(&reader, count: count))
            }
        }
        self.init(keys: keys, containers: containers)
    }

    private static func readArray(_ reader: inout ByteReader, count: Int) throws(LanceError) -> RoaringContainer {
        var bytes = ByteReader(try reader.take(count * 2), what: "Roaring array")
        var values: [UInt16] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            let value = try bytes.read(UInt16.self)
            if let previous = values.last, previous >= value {
                throw .corrupt("Roaring array has \(value) after \(previous)")
            }
            values.append(value)
        }
        return .array(values)
    }

    private static func readWords(_ reader: inout ByteReader, count: Int) throws(LanceError) -> RoaringContainer {
        var bytes = ByteReader(try reader.take(RoaringContainer.wordCount * 8), what: "Roaring bitmap words")
        var words: [UInt64] = []
        words.reserveCapacity(RoaringContainer.wordCount)
        for _ in 0..<RoaringContainer.wordCount { words.append(try bytes.read(UInt64.self)) }
        let found = words.reduce(0) { $0 + $1.nonzeroBitCount }
        guard found == count else { throw .corrupt("Roaring bitmap words have \(found) bits set, not \(count)") }
        return .words(words, count: count)
    }

    private static func readRuns(_ reader: inout ByteReader, count: Int) throws(LanceError) -> RoaringContainer {
        let runCount = Int(try reader.read(UInt16.self))
        var bytes = ByteReader(try reader.take(runCount * 4), what: "Roaring runs")
        var runs: [RoaringContainer.Run] = []
        runs.reserveCapacity(runCount)
        var found = 0
        for _ in 0..<runCount {
            let first = try bytes.read(UInt16.self)
            let (last, overflow) = first.addingReportingOverflow(try bytes.read(UInt16.self))
            guard !overflow else { throw .corrupt("Roaring run from \(first) leaves its group") }
            if let previous = runs.last, previous.last >= first {
                throw .corrupt("Roaring run from \(first) follows one to \(previous.last)")
            }
            let run = RoaringContainer.Run(first: first, last: last)
            found += run.count
            runs.append(run)
        }
        guard found == count else { throw .corrupt("Roaring runs hold \(found) values, not \(count)") }
        return .runs(runs)
    }

    /// The set serialized.
    ///
    /// - Parameter usesRuns: store groups as runs where that is smaller. Without it the bytes are those that any
    ///   implementation writes before it is asked to look for runs.
    package func serialized(usesRuns: Bool = false) -> ArrowBuffer {
        let stored = containers.map { usesRuns ? Self.smallest($0) : $0.withoutRuns }
        let hasRuns = stored.contains { if case .runs = $0 { true } else { false } }
        var builder = BufferBuilder(capacity: 8 + stored.count * 8 + stored.reduce(0) { $0 + Self.size($1) })
        if hasRuns {
            builder.append((Self.runCookie | UInt32(stored.count - 1) << 16).littleEndian)
            var flags = [UInt8](repeating: 0, count: (stored.count + 7) / 8)
            for (index, container) in stored.enumerated() {
                if case .runs = container { flags[index / 8] |= 1 << UInt8(index % 8) }
            }
            builder.append(contentsOf: flags)
        } else {
            builder.append(Self.plainCookie.littleEndian)
            builder.append(UInt32(stored.count).littleEndian)
        }
        for (key, container) in zip(keys, stored) {
            builder.append(key.littleEndian)
            builder.append(UInt16(container.count - 1).littleEndian)
        }
        if !hasRuns || stored.count >= Self.positionThreshold {
            var position = builder.count + stored.count * 4
            for container in stored {
                builder.append(UInt32(position).littleEndian)
                position += Self.size(container)
            }
        }
        for container in stored { Self.write(container, to: &builder) }
        return builder.finish()
    }

    private static func size(_ container: RoaringContainer) -> Int {
        switch container {
        case .array(let values): values.count * 2
        case .words: RoaringContainer.wordCount * 8
        case .runs(let runs): 2 + runs.count * 4
        }
    }

    private static func smallest(_ container: RoaringContainer) -> RoaringContainer {
        let plain = container.withoutRuns
        let runs = RoaringContainer.runs(container.allRuns)
        return size(runs) < size(plain) ? runs : plain
    }

    private static func write(_ container: RoaringContainer, to builder: inout BufferBuilder) {
        switch container {
        case .array(let values):
            for value in values { builder.append(value.littleEndian) }
        case .words(let words, _):
            for word in words { builder.append(word.littleEndian) }
        case .runs(let runs):
            builder.append(UInt16(runs.count).littleEndian)
            for run in runs {
                builder.append(run.first.littleEndian)
                builder.append((run.last - run.first).littleEndian)
            }
        }
    }
}
