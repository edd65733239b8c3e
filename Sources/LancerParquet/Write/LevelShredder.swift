import LancerArrow
import LancerBytes

/// Some rows of one leaf: the levels of every entry and which of the leaf's values are there.
struct ShreddedRows {
    /// Rows.
    var rows: Int
    /// Entries: values, nulls and empty lists.
    var count: Int
    /// One byte an entry; empty where the column has no definition levels.
    var definitions: [UInt8] = []
    /// One byte an entry; empty where the column has no repetition levels.
    var repetitions: [UInt8] = []
    /// The leaf's own array.
    var leaf: ArrowArray
    /// The values that are there, in order.
    var present: Present

    enum Present {
        case range(Range<Int>)
        case indices([Int])

        var count: Int {
            switch self {
            case .range(let range): range.count
            case .indices(let indices): indices.count
            }
        }
    }
}

/// Takes nested arrays apart into levels and values.
///
/// Spec: Parquet, Nested Encoding (Dremel). Goes down the path from the column to the leaf; every step turns the entries
/// so far into those of the next array. An entry whose value is null or an empty list goes no further, it keeps its place
/// and its levels.
struct LevelShredder {
    let leaf: WriteLeaf

    /// Bytes of values and levels that some rows take at most.
    func size(_ column: ArrowArray, _ rows: Range<Int>) -> Int {
        var array = column
        var range = rows
        for step in leaf.steps {
            switch step {
            case .required, .optional: break
            case .member(let index):
                guard case .structure(let children) = array.storage, children.indices.contains(index) else { return 0 }
                array = children[index]
            case .items:
                guard let (items, child) = Self.items(array, range) else { return 0 }
                array = child
                range = items
            }
        }
        let levels = range.count * (leaf.maximumRepetition > 0 ? 2 : 1)
        switch array.storage {
        case .variableWidth(let offsets, _):
            let width = array.type.offsetWidth ?? 4
            guard !range.isEmpty else { return 0 }
            let start = offsets.offset(at: range.lowerBound, width: width)
            return offsets.offset(at: range.upperBound, width: width) - start + 4 * range.count + levels
        case .boolean, .null: return range.count / 8 + levels
        default: return range.count * (array.type.byteWidth ?? 8) + levels
        }
    }

    private static func items(_ array: ArrowArray, _ range: Range<Int>) -> (Range<Int>, ArrowArray)? {
        switch array.storage {
        case .list(let offsets, let child):
            guard !range.isEmpty else { return (0..<0, child) }
            let width = array.type.offsetWidth ?? 4
            let start = offsets.offset(at: range.lowerBound, width: width)
            return (start..<max(start, offsets.offset(at: range.upperBound, width: width)), child)
        case .fixedSizeList(let child):
            guard case .fixedSizeList(_, let size) = array.type else { return nil }
            return ((range.lowerBound * size)..<(range.upperBound * size), child)
        default: return nil
        }
    }

    /// The levels and values of some rows.
    ///
    /// - Throws: `schemaMismatch` for a null where the schema allows none.
    func shred(_ column: ArrowArray, _ rows: Range<Int>) throws(LanceError) -> ShreddedRows {
        if leaf.steps.count == 1 { return try flat(column, rows) }
        var entries = Entries(rows)
        var array = column
        for step in leaf.steps {
            switch step {
            case .required(let name): try entries.require(array, name)
            case .optional(let level): entries.takeNulls(array, level)
            case .member(let index):
                guard case .structure(let children) = array.storage, children.indices.contains(index) else {
                    throw .corrupt("an array of \(array.type) without field \(index)")
                }
                array = children[index]
            case .items(let definition, let repetition):
                array = try entries.expand(array, definition, repetition)
            }
        }
        return ShreddedRows(
            rows: rows.count,
            count: entries.places.count,
            definitions: leaf.maximumDefinition > 0 ? entries.definitions : [],
            repetitions: leaf.maximumRepetition > 0 ? entries.repetitions : [],
            leaf: array,
            present: entries.present
        )
    }

    /// A column without children: an entry a row.
    private func flat(_ column: ArrowArray, _ rows: Range<Int>) throws(LanceError) -> ShreddedRows {
        var result = ShreddedRows(rows: rows.count, count: rows.count, leaf: column, present: .range(rows))
        guard leaf.maximumDefinition > 0 else {
            if column.validity.map({ $0.slice(rows).setCount < rows.count }) ?? false {
                throw .schemaMismatch("a null in column \"\(leaf.path)\", which may have none")
            }
            return result
        }
        if case .null = column.storage {
            result.definitions = [UInt8](repeating: 0, count: rows.count)
            result.present = .range(0..<0)
            return result
        }
        result.definitions = [UInt8](repeating: 1, count: rows.count)
        guard let validity = column.validity?.slice(rows), validity.setCount < rows.count else { return result }
        var present: [Int] = []
        present.reserveCapacity(rows.count)
        validity.buffer.withUnsafeBytes { bytes in
            let bits = BitReader(bytes, offset: validity.bitOffset)
            for index in 0..<rows.count {
                if bits.bit(at: index) {
                    present.append(rows.lowerBound &+ index)
                } else {
                    result.definitions[index] = 0
                }
            }
        }
        result.present = .indices(present)
        return result
    }
}

/// Entries of a path's current array.
private struct Entries {
    private(set) var definitions: [UInt8]
    private(set) var repetitions: [UInt8]
    /// Which value of the array an entry is, -1 when it ended above.
    private(set) var places: [Int]

    init(_ rows: Range<Int>) {
        definitions = [UInt8](repeating: 0, count: rows.count)
        repetitions = [UInt8](repeating: 0, count: rows.count)
        places = Array(rows)
    }

    /// The values that did not end above.
    var present: ShreddedRows.Present {
        var first = -1
        var next = -1
        var isRange = true
        for place in places where place >= 0 {
            if first < 0 {
                first = place
            } else if place != next {
                isRange = false
                break
            }
            next = place &+ 1
        }
        if isRange { return .range(first < 0 ? 0..<0 : first..<next) }
        return .indices(places.filter { $0 >= 0 })
    }

    func require(_ array: ArrowArray, _ name: String) throws(LanceError) {
        guard let validity = array.validity else { return }
        for place in places where place >= 0 && !validity[place] {
            throw .schemaMismatch("a null in \"\(name)\", which may have none")
        }
    }

    mutating func takeNulls(_ array: ArrowArray, _ level: UInt8) {
        if case .null = array.storage {
            for index in places.indices { places[index] = -1 }
            return
        }
        guard let validity = array.validity else {
            for index in places.indices where places[index] >= 0 { definitions[index] = level }
            return
        }
        validity.buffer.withUnsafeBytes { bytes in
            let bits = BitReader(bytes, offset: validity.bitOffset)
            for index in places.indices where places[index] >= 0 {
                if bits.bit(at: places[index]) { definitions[index] = level } else { places[index] = -1 }
            }
        }
    }

    /// Goes on to the items of lists; returns their array.
    mutating func expand(
        _ array: ArrowArray,
        _ definition: UInt8,
        _ repetition: UInt8
    ) throws(LanceError) -> ArrowArray {
        switch array.storage {
        case .fixedSizeList(let child):
            guard case .fixedSizeList(_, let size) = array.type else { break }
            expand(definition, repetition) { place in (place &* size)..<(place &* size &+ size) }
            return child
        case .list(let offsets, let child):
            let aligned = offsets.aligned(to: 8)
            if array.type.offsetWidth == 8 {
                aligned.withValues(of: Int64.self) { offsets in
                    expand(definition, repetition) { Int(offsets[$0])..<Int(offsets[$0 + 1]) }
                }
            } else {
                aligned.withValues(of: Int32.self) { offsets in
                    expand(definition, repetition) { Int(offsets[$0])..<Int(offsets[$0 + 1]) }
                }
            }
            return child
        default: break
        }
        throw .corrupt("an array of \(array.type) where a list is expected")
    }

    @inline(__always)
    private mutating func expand(
        _ definition: UInt8,
        _ repetition: UInt8,
        _ items: (Int) -> Range<Int>
    ) {
        var total = 0
        for place in places { total &+= place < 0 ? 1 : max(items(place).count, 1) }
        var newDefinitions = [UInt8](repeating: definition, count: total)
        var newRepetitions = [UInt8](repeating: repetition, count: total)
        var newPlaces = [Int](repeating: -1, count: total)
        var next = 0
        for (index, place) in places.enumerated() {
            newRepetitions[next] = repetitions[index]
            let range = place < 0 ? 0..<0 : items(place)
            if range.isEmpty {
                newDefinitions[next] = definitions[index]
                next &+= 1
                continue
            }
            for item in range {
                newPlaces[next] = item
                next &+= 1
            }
        }
        definitions = newDefinitions
        repetitions = newRepetitions
        places = newPlaces
    }
}
