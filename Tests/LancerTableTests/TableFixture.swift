import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage
import LancerTable
import LancerTestSupport
import Synchronization

/// Small tables of one int64 column for tests of the table layer.
enum TableFixture {
    static let schema = ArrowSchema([ArrowField("id", .int64)])

    static func options(rowsPerFile: Int = 1000) throws -> TableWriteOptions {
        TableWriteOptions(
            limits: try FragmentLimits(rowsPerFile: rowsPerFile, bytesPerFile: 1 << 40),
            commitMessage: nil,
            fileVersion: .v2_2,
            naming: .v2
        )
    }

    static func source(_ ids: Range<Int>, name: String = "id") throws -> ReaderSource<BatchList> {
        let schema = ArrowSchema([ArrowField(name, .int64)])
        return ReaderSource(BatchList(try RecordBatch(schema: schema, columns: [.int64(ids.map { Int64($0) })])))
    }

    static func create(_ store: any ObjectStore, _ ids: Range<Int>, rowsPerFile: Int = 1000) async throws -> Table {
        try await Table.create(store, from: try source(ids), try options(rowsPerFile: rowsPerFile))
    }

    static func append(_ table: Table, _ ids: Range<Int>) async throws -> Table {
        try await table.append(from: try source(ids), try options())
    }

    /// All values of the first column in order.
    ///
    /// - Parameter columns: The columns to read; all when it is nil.
    static func ids(_ table: Table, columns: [String]? = nil) async throws -> [Int] {
        let projection = try Projection(columns, of: table.manifest.schema)
        let scan = try TableScan(table: table, projection: projection, offset: 0, limit: nil, batchRows: nil)
        let iterator = scan.makeIterator()
        var ids: [Int] = []
        while let batch = try await iterator.next() {
            guard case .fixedWidth(let values) = batch.columns[0].storage else { continue }
            values.withValues(of: Int64.self) { ids += $0.map { Int($0) } }
        }
        return ids
    }
}

/// A store whose calls that change something stop working, as if the process had been killed there.
final class FailingStore: ObjectStore {
    private let base: any ObjectStore
    private let left: Mutex<Int>
    /// Whether the call that fails has done its work before.
    private let failsAfter: Bool

    /// - Parameters:
    ///   - calls: How many writes work before the first that fails; all later ones fail, too.
    ///   - failsAfter: The first failing call does its work and then fails.
    init(_ base: any ObjectStore, calls: Int, failsAfter: Bool) {
        self.base = base
        self.left = Mutex(calls)
        self.failsAfter = failsAfter
    }

    /// Whether a call was made to fail.
    var hasFailed: Bool { left.withLock { $0 < 0 } }

    private static let error = LanceError(.io, "the plug was pulled")

    private func spend() throws(LanceError) -> Bool {
        let rest = left.withLock { left in
            left -= 1
            return left
        }
        if rest >= 0 { return false }
        if rest == -1, failsAfter { return true }
        throw Self.error
    }

    var root: String { base.root }
    func open(_ path: String) async throws(LanceError) -> any StoredObject { try await base.open(path) }
    func entries(_ directory: String) async throws(LanceError) -> [StoredEntry] { try await base.entries(directory) }
    func read(_ path: String, limit: Int) async throws(LanceError) -> ArrowBuffer {
        try await base.read(path, limit: limit)
    }
    func list(_ directory: String) async throws(LanceError) -> [String] { try await base.list(directory) }
    func exists(_ path: String) async throws(LanceError) -> Bool { try await base.exists(path) }

    func put(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) {
        let fails = try spend()
        try await base.put(path, bytes)
        if fails { throw Self.error }
    }

    func putIfAbsent(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) {
        let fails = try spend()
        try await base.putIfAbsent(path, bytes)
        if fails { throw Self.error }
    }

    func delete(_ path: String) async throws(LanceError) {
        let fails = try spend()
        try await base.delete(path)
        if fails { throw Self.error }
    }

    func create(_ path: String) throws(LanceError) -> any ObjectSink {
        let fails = try spend()
        let sink = Sink(self, try base.create(path))
        if fails { throw Self.error }
        return sink
    }

    private final class Sink: ObjectSink {
        private let store: FailingStore
        private var base: any ObjectSink

        init(_ store: FailingStore, _ base: any ObjectSink) {
            self.store = store
            self.base = base
        }

        var count: UInt64 { base.count }

        func write(_ buffer: ArrowBuffer) throws(LanceError) {
            let fails = try store.spend()
            try base.write(buffer)
            if fails { throw FailingStore.error }
        }

        func finish() throws(LanceError) {
            let fails = try store.spend()
            try base.finish()
            if fails { throw FailingStore.error }
        }

        func cancel() { base.cancel() }
    }
}
