import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage

/// When a data file is full.
package struct FragmentLimits: Sendable {
    package var rowsPerFile: Int
    package var bytesPerFile: Int

    /// - Throws: `invalidArgument` for numbers below 1 or more rows than a fragment can have.
    package init(rowsPerFile: Int, bytesPerFile: Int) throws(LanceError) {
        guard rowsPerFile > 0, rowsPerFile < UInt32.max else {
            throw .invalidArgument("files of \(rowsPerFile) rows; 1 to \(UInt32.max - 1) are possible")
        }
        guard bytesPerFile > 0 else { throw .invalidArgument("files of \(bytesPerFile) bytes") }
        self.rowsPerFile = rowsPerFile
        self.bytesPerFile = bytesPerFile
    }
}

/// Writes batches into as many data files as they need; every file becomes a fragment.
///
/// Holds one file's unfinished pages in memory. Nobody sees the files before a commit names them.
struct FragmentWriter {
    private let store: any ObjectStore
    private let schema: LanceSchema
    private let version: FileVersion
    private let limits: FragmentLimits
    private var current: (writer: LanceFileWriter, sink: any ObjectSink, name: String, rows: Int)?
    private(set) var fragments: [Fragment] = []

    init(store: any ObjectStore, schema: LanceSchema, version: FileVersion, limits: FragmentLimits) {
        self.store = store
        self.schema = schema
        self.version = version
        self.limits = limits
    }

    /// Paths of the finished files.
    var paths: [String] { fragments.flatMap { $0.files.map { "\(TableFiles.dataDirectory)/\($0.path)" } } }

    /// Writes the rows of a batch, closing files as they get full.
    ///
    /// - Throws: `schemaMismatch`, `unsupported`, `io`.
    mutating func write(_ batch: RecordBatch) throws(LanceError) {
        var done = 0
        while done < batch.rowCount {
            if current == nil { try begin() }
            guard var file = current else { return }
            let count = Swift.min(batch.rowCount - done, limits.rowsPerFile - file.rows)
            // Taken out while it is written: the value must not be copied.
            current = nil
            do throws(LanceError) {
                try file.writer.write(batch.slice(done..<(done + count)))
            } catch {
                file.sink.cancel()
                throw error
            }
            file.rows += count
            done += count
            let isFull = file.rows == limits.rowsPerFile || file.writer.bytesWritten >= UInt64(limits.bytesPerFile)
            current = file
            if isFull { try finishFile() }
        }
    }

    private mutating func begin() throws(LanceError) {
        let name = Self.fileName()
        let sink = try store.create("\(TableFiles.dataDirectory)/\(name)")
        do throws(LanceError) {
            current = (try LanceFileWriter(schema: schema, version: version, sink: sink), sink, name, 0)
        } catch {
            sink.cancel()
            throw error
        }
    }

    /// Closes the file begun last, if there is one.
    ///
    /// - Throws: `io`.
    mutating func finishFile() throws(LanceError) {
        guard var file = current else { return }
        current = nil
        let written: WrittenFile
        do throws(LanceError) {
            written = try file.writer.finish()
        } catch {
            file.sink.cancel()
            throw error
        }
        try file.sink.finish()
        let entry = DataFile(
            path: file.name,
            fieldIDs: written.fieldIDs,
            columnIndices: written.columnIndices,
            majorVersion: UInt32(version.numbers.major),
            minorVersion: UInt32(version.numbers.minor),
            sizeInBytes: written.sizeInBytes
        )
        fragments.append(Fragment(files: [entry], rowCount: written.rowCount))
    }

    /// Throws away the unfinished file.
    mutating func cancel() {
        current?.sink.cancel()
        current = nil
    }

    /// 24 binary and 26 hexadecimal digits of a random 128-bit number: the reference's way, which spreads the names'
    /// beginnings over the partitions of an object store.
    static func fileName() -> String {
        let bytes = RandomName.randomBytes(16)
        let binary = bytes.prefix(3).flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 == 1 ? "1" : "0" } }
        return binary.joined() + RandomName.hex(bytes.dropFirst(3)) + ".lance"
    }
}
