import LancerBytes
import LancerProto

/// Reads fragments from the bytes of a manifest.
///
/// What most fragments have is read here; a message with anything else goes through the general decoder.
/// Spec: 10-table.md, "Fragments".
struct FragmentParser {
    /// What was read of a fragment.
    struct Parts {
        var id: UInt64 = 0
        var files: [DataFile] = []
        var deletion: DeletionFile?
        var physicalRows: UInt64 = 0
    }

    private let buffer: ArrowBuffer
    private let base: UnsafePointer<UInt8>
    // Most files of a table have the same columns: their lists are read once and shared.
    private var fields = SharedList()
    private var columns = SharedList()

    /// A parser of messages in `buffer`, which must outlive it.
    init(_ buffer: ArrowBuffer) {
        self.buffer = buffer
        base = buffer.start.assumingMemoryBound(to: UInt8.self)
    }

    /// Reads the DataFragment message at `range`; nil when it holds something that only the general decoder knows.
    ///
    /// - Throws: `corrupt`.
    mutating func parse(_ range: Range<Int>) throws(LanceError) -> Parts? {
        var parts = Parts()
        var reader = WireReader(base, range)
        while !reader.isAtEnd {
            switch try reader.next() {
            case (1, .varint(let id)): parts.id = id
            case (2, .bytes(let file)):
                guard let file = try parseFile(file) else { return nil }
                parts.files.append(file)
            case (3, .bytes(let file)):
                guard parts.deletion == nil else { return nil }
                let message = try buffer.slice(file).decoded(as: Lance_Table_DeletionFile.self, "deletion file")
                parts.deletion = try DeletionFile(message)
            case (4, .varint(let rows)): parts.physicalRows = rows
            // Ids and versions of rows, inline: bytes that are looked at when they are needed.
            case (5, .bytes), (7, .bytes), (9, .bytes): break
            default: return nil
            }
        }
        return parts
    }

    private mutating func parseFile(_ range: Range<Int>) throws(LanceError) -> DataFile? {
        var file = DataFile(path: "", fieldIDs: [], columnIndices: [], majorVersion: 0, minorVersion: 0, sizeInBytes: 0)
        file.sizeInBytes = nil
        var hasFields = false
        var hasColumns = false
        var reader = WireReader(base, range)
        while !reader.isAtEnd {
            switch try reader.next() {
            case (1, .bytes(let path)):
                let text = UnsafeBufferPointer(start: base + path.lowerBound, count: path.count)
                guard let name = String(validating: text, as: UTF8.self) else {
                    throw .corrupt("the name of a data file is not UTF-8")
                }
                file.path = name
            case (2, .bytes(let list)) where !hasFields:
                file.fieldIDs = try fields.list(base, list)
                hasFields = true
            case (3, .bytes(let list)) where !hasColumns:
                file.columnIndices = try columns.list(base, list)
                hasColumns = true
            case (4, .varint(let version)): file.majorVersion = UInt32(truncatingIfNeeded: version)
            case (5, .varint(let version)): file.minorVersion = UInt32(truncatingIfNeeded: version)
            case (6, .varint(let size)): file.sizeInBytes = size > 0 ? size : nil
            case (7, .varint(let id)): file.baseID = UInt32(truncatingIfNeeded: id)
            default: return nil
            }
        }
        try file.check()
        return file
    }
}

/// The last list of numbers that was read, and its bytes: the next one is often the same.
private struct SharedList {
    private var bytes: UnsafeRawBufferPointer?
    private var numbers: [Int32] = []

    mutating func list(_ base: UnsafePointer<UInt8>, _ range: Range<Int>) throws(LanceError) -> [Int32] {
        let own = UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
        if let bytes, bytes.elementsEqual(own) { return numbers }
        var result: [Int32] = []
        var reader = WireReader(base, range)
        while !reader.isAtEnd { result.append(Int32(truncatingIfNeeded: try reader.varint())) }
        bytes = own
        numbers = result
        return result
    }
}
