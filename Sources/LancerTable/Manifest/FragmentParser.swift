import LancerBytes
import LancerProto

/// Reads fragments from the bytes of a manifest.
///
/// What most fragments have is read here; a message with anything else goes through the general decoder. A manifest is
/// checked whole when it is read, but its lists of files are made only when somebody asks for them: of 10,000 fragments
/// a point read wants one. Spec: 10-table.md, "Fragments".
struct FragmentParser {
    /// What was read of a fragment.
    struct Parts {
        var id: UInt64 = 0
        /// Number of files, all of which were checked.
        var fileCount = 0
        var deletion: DeletionFile?
        var physicalRows: UInt64 = 0
    }

    private let buffer: ArrowBuffer
    private let base: UnsafePointer<UInt8>
    // Most files of a table have the same columns: their lists are looked through once.
    private var fields = CheckedList()
    private var columns = CheckedList()

    /// A parser of messages in `buffer`, which must outlive it.
    init(_ buffer: ArrowBuffer) {
        self.buffer = buffer
        base = buffer.start.assumingMemoryBound(to: UInt8.self)
    }

    /// Reads and checks the DataFragment message at `range`; nil when it holds something that only the general decoder
    /// knows.
    ///
    /// - Throws: `corrupt`.
    mutating func parse(_ range: Range<Int>) throws(LanceError) -> Parts? {
        var parts = Parts()
        var reader = WireReader(base, range)
        while !reader.isAtEnd {
            switch try reader.next() {
            case (1, .varint(let id)): parts.id = id
            case (Self.fileField, .bytes(let range)):
                guard let file = try FileMessage.read(base, range) else { return nil }
                try check(file)
                parts.fileCount += 1
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

    /// The files of the DataFragment message at `range`, which ``parse(_:)`` has read.
    ///
    /// - Throws: `corrupt`.
    func files(_ range: Range<Int>) throws(LanceError) -> [DataFile] {
        var files: [DataFile] = []
        var reader = WireReader(base, range)
        while !reader.isAtEnd {
            guard case (Self.fileField, .bytes(let range)) = try reader.next() else { continue }
            if let file = try FileMessage.read(base, range) { files.append(try made(file)) }
        }
        return files
    }

    private static let fileField: UInt64 = 2

    /// Checks what ``made(_:)`` would, without making anything of the usual file.
    private mutating func check(_ file: FileMessage) throws(LanceError) {
        let path = UnsafeBufferPointer(start: base + file.path.lowerBound, count: file.path.count)
        let fieldCount = try file.fields.map { (list) throws(LanceError) in try fields.count(base, list) } ?? 0
        let columnCount = try file.columns.map { (list) throws(LanceError) in try columns.count(base, list) } ?? 0
        if DataFile.isPlainName(path), columnCount == 0 || columnCount == fieldCount { return }
        _ = try made(file)
    }

    private func made(_ parts: FileMessage) throws(LanceError) -> DataFile {
        let path = UnsafeBufferPointer(start: base + parts.path.lowerBound, count: parts.path.count)
        guard let name = String(validating: path, as: UTF8.self) else {
            throw .corrupt("the name of a data file is not UTF-8")
        }
        var file = DataFile(
            path: name,
            fieldIDs: try numbers(parts.fields),
            columnIndices: try numbers(parts.columns),
            majorVersion: parts.majorVersion,
            minorVersion: parts.minorVersion,
            sizeInBytes: parts.size
        )
        file.sizeInBytes = parts.size > 0 ? parts.size : nil
        file.baseID = parts.baseID
        try file.check()
        return file
    }

    private func numbers(_ range: Range<Int>?) throws(LanceError) -> [Int32] {
        guard let range else { return [] }
        var result: [Int32] = []
        var reader = WireReader(base, range)
        while !reader.isAtEnd { result.append(Int32(truncatingIfNeeded: try reader.varint())) }
        return result
    }
}

/// The fields of a DataFile message: numbers, and where the rest lies.
private struct FileMessage {
    var path = 0..<0
    var fields: Range<Int>?
    var columns: Range<Int>?
    var majorVersion: UInt32 = 0
    var minorVersion: UInt32 = 0
    var size: UInt64 = 0
    var baseID: UInt32?

    /// Reads the message at `range`. Not an initialiser: one that both throws and returns nil came out of the optimiser
    /// (Swift 6.3.1) with numbers it had set back at 0.
    ///
    /// - Returns: nil when it holds something that only the general decoder knows.
    /// - Throws: `corrupt`.
    static func read(_ base: UnsafePointer<UInt8>, _ range: Range<Int>) throws(LanceError) -> FileMessage? {
        var file = FileMessage()
        var reader = WireReader(base, range)
        while !reader.isAtEnd {
            switch try reader.next() {
            case (1, .bytes(let path)): file.path = path
            case (2, .bytes(let list)) where file.fields == nil: file.fields = list
            case (3, .bytes(let list)) where file.columns == nil: file.columns = list
            case (4, .varint(let version)): file.majorVersion = UInt32(truncatingIfNeeded: version)
            case (5, .varint(let version)): file.minorVersion = UInt32(truncatingIfNeeded: version)
            case (6, .varint(let size)): file.size = size
            case (7, .varint(let id)): file.baseID = UInt32(truncatingIfNeeded: id)
            default: return nil
            }
        }
        return file
    }
}

/// The last list of numbers that was looked through, and its bytes: the next one is often the same.
private struct CheckedList {
    private var bytes: UnsafeRawBufferPointer?
    private var count = 0

    /// How many numbers a packed list has.
    ///
    /// - Throws: `corrupt` when it cannot be read.
    mutating func count(_ base: UnsafePointer<UInt8>, _ range: Range<Int>) throws(LanceError) -> Int {
        let own = UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
        if let bytes, bytes.elementsEqual(own) { return count }
        var count = 0
        var reader = WireReader(base, range)
        while !reader.isAtEnd {
            _ = try reader.varint()
            count += 1
        }
        bytes = own
        self.count = count
        return count
    }
}
