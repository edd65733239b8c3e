import LancerArrow
import LancerBytes
import LancerEncoding

/// Where the bytes of a second-form blob column are.
///
/// ```
/// kind     u8   0 in the data file · 1 part of a shared file · 2 a file of its own · 3 somewhere else
/// position u64  offset in that file
/// size     u64  bytes
/// blob_id  u32  which file beside the data file (kinds 1 and 2)
/// blob_uri utf8 where else (kind 3)
/// ```
/// A null value has zeros. The files are `<data file without .lance>/<the 32 bits of blob_id, lowest first>.blob`.
/// Spec: 06-blob.md, "Second form".
struct BlobDescriptors {
    /// The type of the packed column that holds the descriptors.
    static let type = ArrowType.structure([
        ArrowField("kind", .uint8, nullable: false), ArrowField("position", .uint64, nullable: false),
        ArrowField("size", .uint64, nullable: false), ArrowField("blob_id", .uint32, nullable: false),
        ArrowField("blob_uri", .utf8, nullable: false),
    ])

    /// Bytes of one blob.
    private struct Place {
        /// Which file beside the data file; nil for the data file itself.
        var sidecar: UInt32?
        var bytes: Range<UInt64>
    }

    private var places: [Place] = []

    /// Takes the decoded column apart.
    ///
    /// - Throws: `corrupt`; `unsupported` for blobs outside the table.
    init(_ column: ArrowArray) throws(LanceError) {
        guard case .structure(let children) = column.storage, children.count == 5,
            case .fixedWidth(let kinds) = children[0].storage, case .fixedWidth(let positions) = children[1].storage,
            case .fixedWidth(let sizes) = children[2].storage, case .fixedWidth(let ids) = children[3].storage
        else { throw .corrupt("blob descriptors of another type") }
        var kindReader = ByteReader(kinds, what: "blob kinds")
        var positionReader = ByteReader(positions, what: "blob positions")
        var sizeReader = ByteReader(sizes, what: "blob sizes")
        var idReader = ByteReader(ids, what: "blob numbers")
        places.reserveCapacity(column.length)
        for row in 0..<column.length {
            let kind: UInt8 = try kindReader.read()
            let position: UInt64 = try positionReader.read()
            let size: UInt64 = try sizeReader.read()
            let id: UInt32 = try idReader.read()
            let end = try position.adding(size, "end of a blob")
            switch kind {
            case 0: places.append(Place(sidecar: nil, bytes: position..<end))
            case 1, 2: places.append(Place(sidecar: id, bytes: position..<end))
            case 3:
                // Where a file leads is not for the file to say.
                throw .unsupported("a blob outside the table, at \"\(children[4].formatted(at: row))\"")
            default: throw .corrupt("a blob of kind \(kind)")
            }
        }
    }

    /// Reads all blobs.
    func read(from source: any RangeSource) async throws -> ArrowArray {
        var wanted: [UInt32?: [Int]] = [:]
        for (row, place) in places.enumerated() where !place.bytes.isEmpty {
            wanted[place.sidecar, default: []].append(row)
        }
        var values = [ArrowBuffer](repeating: .empty, count: places.count)
        for (sidecar, rows) in wanted {
            var file = source
            if let sidecar { file = try await source.sidecar(Self.fileName(sidecar)) }
            let ranges = rows.map { places[$0].bytes }
            do {
                try Self.check(ranges, file.size)
                let buffers = try await file.read(ranges)
                for (row, value) in zip(rows, buffers) { values[row] = value }
            } catch let error as LanceError {
                throw error.located(file: file.path)
            }
        }
        let output = VariableOutput(offsetWidth: 8, capacity: places.count)
        output.data.reserve(values.reduce(0) { $0 + $1.count })
        for value in values {
            output.data.append(value)
            try output.endValue()
        }
        return ArrowArray(
            type: .largeBinary,
            length: places.count,
            storage: .variableWidth(offsets: output.offsets.finish(), data: output.data.finish())
        )
    }

    private static func check(_ ranges: [Range<UInt64>], _ fileSize: UInt64) throws(LanceError) {
        var total: UInt64 = 0
        for range in ranges {
            guard range.upperBound <= fileSize else {
                throw .truncated("a blob at \(range) is not inside the \(fileSize) bytes")
            }
            total = try total.adding(UInt64(range.count), "bytes of blobs")
        }
        // Descriptors may all point to the same bytes: what is read must stay in proportion to the file.
        guard total / 4 <= fileSize else {
            throw .limitExceeded("\(total) bytes of blobs from a file of \(fileSize) bytes")
        }
    }

    /// The name of the file that holds blobs of a number.
    static func fileName(_ id: UInt32) -> String {
        String((0..<32).map { id >> UInt32($0) & 1 == 1 ? "1" : "0" }) + ".blob"
    }
}
