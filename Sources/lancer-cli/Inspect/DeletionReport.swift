import Lancer
import LancerCodecs

/// What a deletion file holds: offsets of deleted rows in their fragment.
struct DeletionReport {
    let path: String

    func report() throws -> Report {
        let source = try FileSource(path)
        let size = Int(clamping: source.size ?? 0)
        let bytes = try source.read(offset: 0, count: size)
        let isBitmap = DataFormat.pathExtension(path) == "bin"
        let offsets = try isBitmap ? Self.bitmapOffsets(bytes) : Self.arrowOffsets(bytes)
        var report = Report()
        report.add("path", path, nil, .string(path))
        let kind = isBitmap ? "deletion file, Roaring bitmap" : "deletion file, Arrow IPC"
        report.add("kind", "\(kind), \(size.byteText)", nil, .string("deletion"))
        // The name is fragment, version read, random number: `3-17-123456789.arrow`.
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let parts = name.prefix { $0 != "." }.split(separator: "-").compactMap { UInt64($0) }
        if parts.count == 3 {
            report.add("fragment", "\(parts[0])", nil, .unsigned(parts[0]))
            report.add("read version", "\(parts[1])", "readVersion", .unsigned(parts[1]))
        }
        report.add("deleted rows", count: offsets.count, "deletedRows")
        if let first = offsets.first, let last = offsets.last {
            let shown = offsets.prefix(20).map(String.init).joined(separator: ", ")
            report.add("offsets", offsets.count > 20 ? "\(shown), … \(last)" : shown)
            report.add("first", nil, nil, .count(first))
            report.add("last", nil, nil, .count(last))
        }
        return report
    }

    private static func bitmapOffsets(_ bytes: ArrowBuffer) throws -> [UInt32] {
        Array(try RoaringBitmap(serialized: bytes))
    }

    private static func arrowOffsets(_ bytes: ArrowBuffer) throws -> [UInt32] {
        var reader = try ArrowIPCFileReader(BufferSource(bytes))
        var offsets: [UInt32] = []
        while let batch = try reader.next() {
            guard let column = batch.columns.first, column.type == .uint32,
                case .fixedWidth(let values) = column.storage
            else { throw LanceError(.corrupt, "a deletion file has one uint32 column; this Arrow file has other ones") }
            values.aligned(to: 4).withValues(of: UInt32.self) { offsets.append(contentsOf: $0) }
        }
        return offsets.sorted()
    }
}
