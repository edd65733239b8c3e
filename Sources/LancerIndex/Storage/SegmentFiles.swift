import LancerArrow
import LancerBytes
import LancerFile
import LancerKernels
import LancerProto
import SwiftProtobuf

/// The two files of a segment and what their metadata say. Spec: 13-vector-index.md, "Files of a segment".
struct SegmentFiles: Sendable {
    let index: LanceFileReader
    let auxiliary: LanceFileReader
    let model: VectorIndexModel
    /// Rows of the partitions in the auxiliary file.
    let rows: PartitionTable
    /// Graphs by partition; empty for kinds without.
    let graphs: [StoredGraph]

    /// A graph as the index file's metadata describes it.
    struct StoredGraph: Sendable {
        /// Its rows in the index file.
        var rows: Range<Int>
        var entryPoint: UInt32
        /// First row of each level, relative to ``rows``; one more at the end.
        var levelOffsets: [Int]
    }

    /// Names of columns and metadata.
    enum Name {
        static let rowID = "_rowid"
        static let flat = "flat"
        static let product = "__pq_code"
        static let scalar = "__sq_code"
        static let vectorID = "__vector_id"
        static let neighbors = "__neighbors"
        static let distance = "_distance"
        static let flatMarker = "__flat_marker"
        static let indexKey = "lance:index"
        static let ivfKey = "lance:ivf"
        static let flatKey = "lance:flat"
        static let graphKey = "lance:hnsw"
        static let distanceKey = "distance_type"
        static let storageKey = "storage_metadata"
    }

    /// Opens both files and reads all but the rows.
    static func open(index: any RangeSource, auxiliary: any RangeSource) async throws -> SegmentFiles {
        // Pages are read once and kept decoded by the partition cache, so the files' own caches stay small.
        let budget = PageCacheBudget(byteLimit: 4 << 20)
        let indexFile = try await LanceFileReader.open(index, cache: budget).comparing(.allTouched)
        let auxiliaryFile = try await LanceFileReader.open(auxiliary, cache: budget).comparing(.allTouched)
        let kind: VectorIndexKind
        let metric: VectorMetric
        let centroids: Lance_Index_Pb_IVF
        do {
            (kind, metric) = try Self.header(indexFile)
            centroids = try await Self.partitions(indexFile)
        } catch let error as LanceError {
            throw error.located(file: index.path)
        }
        do {
            let graph = kind.hasGraph ? Self.graphParameters(indexFile) : .init()
            let (model, rows) = try await Self.model(auxiliaryFile, kind, metric, graph, centroids)
            var graphs: [StoredGraph] = []
            if kind.hasGraph {
                do {
                    graphs = try Self.graphs(indexFile, centroids, rows)
                } catch {
                    throw error.located(file: index.path)
                }
            }
            return SegmentFiles(
                index: indexFile,
                auxiliary: auxiliaryFile,
                model: model,
                rows: rows,
                graphs: graphs
            )
        } catch let error as LanceError {
            throw error.located(file: auxiliary.path)
        }
    }

    private static func json(_ text: String) throws(LanceError) -> JSONDocument {
        try JSONDocument(parsing: text.utf8, fault: .corrupt)
    }

    private static func entry(_ file: LanceFileReader, _ key: String) throws(LanceError) -> String {
        guard let text = file.schema.metadata[key] else { throw .corrupt("the metadata lack \"\(key)\"") }
        return text
    }

    /// Kind and metric, from the index file.
    private static func header(_ file: LanceFileReader) throws(LanceError) -> (VectorIndexKind, VectorMetric) {
        let header = try json(try entry(file, Name.indexKey))
        guard let type = header["type"]?.text, let distance = header["distance_type"]?.text else {
            throw .corrupt("\"\(Name.indexKey)\" lacks the type or the distance")
        }
        return (try VectorIndexKind(named: type), try VectorMetric(named: distance))
    }

    /// The partition message of a file.
    private static func partitions(_ file: LanceFileReader) async throws -> Lance_Index_Pb_IVF {
        guard let number = Int(try entry(file, Name.ivfKey)), number > 0 else {
            throw LanceError.corrupt("\"\(Name.ivfKey)\" is not the number of a buffer")
        }
        guard file.globalBuffers.indices.contains(number) else {
            throw LanceError.corrupt("the partitions are said to be in global buffer \(number), which is not there")
        }
        return try Lance_Index_Pb_IVF(stored: try await file.globalBuffer(number))
    }

    /// Everything that was learned, and the table of rows.
    private static func model(
        _ file: LanceFileReader,
        _ kind: VectorIndexKind,
        _ metric: VectorMetric,
        _ graph: VectorIndexModel.GraphParameters,
        _ stored: Lance_Index_Pb_IVF
    ) async throws -> (VectorIndexModel, PartitionTable) {
        guard stored.hasCentroidsTensor else { throw LanceError.corrupt("the index has no centroids") }
        let centroids = try stored.centroidsTensor.matrix("centroids")
        let named = try VectorMetric(named: try entry(file, Name.distanceKey))
        guard named == metric else {
            throw LanceError.corrupt("the index is for \(metric.name), its vectors for \(named.name)")
        }
        let rows = try PartitionTable(try await partitions(file), rowsInFile: file.rowCount)
        guard rows.ranges.count == centroids.rows else {
            throw LanceError.corrupt("\(centroids.rows) centroids, but \(rows.ranges.count) partitions")
        }
        guard let texts = try json(try entry(file, Name.storageKey)).items, let first = texts.first?.text else {
            throw LanceError.corrupt("\"\(Name.storageKey)\" is not a list of texts")
        }
        let storage = try json(first)
        var codebook: ArrowBuffer?
        var subvectors = 0
        var bits = 8
        var scalar: ScalarQuantizer?
        switch kind.compression {
        case .flat: break
        case .product:
            guard let m = storage["num_sub_vectors"]?.integer(1...centroids.columns),
                let nbits = storage["nbits"]?.integer(1...64)
            else { throw LanceError.corrupt("the codes lack a sensible number of sub-vectors or bits") }
            guard nbits == 4 || nbits == 8 else { throw LanceError.unsupported("codes of \(nbits) bits") }
            guard storage["transposed"] != .bool(false) else {
                throw LanceError.unsupported("product codes that are not stored by sub-vector")
            }
            guard let place = storage["codebook_position"]?.integer(1...max(1, file.globalBuffers.count - 1)),
                file.globalBuffers.indices.contains(place)
            else { throw LanceError.corrupt("the codebook is not in the file") }
            let tensor = try Lance_Index_Pb_Tensor(stored: try await file.globalBuffer(place)).matrix("codewords")
            guard tensor.element == centroids.element, tensor.rows == 1 << nbits, tensor.columns == centroids.columns
            else {
                throw LanceError.corrupt(
                    "a codebook of \(tensor.rows) × \(tensor.columns) \(tensor.element.rawValue) numbers for "
                        + "centroids of \(centroids.columns) \(centroids.element.rawValue) numbers and \(nbits) bits"
                )
            }
            codebook = tensor.values
            subvectors = m
            bits = nbits
        case .scalar:
            guard let nbits = storage["num_bits"]?.integer(1...64) else {
                throw LanceError.corrupt("the codes lack a sensible number of bits")
            }
            guard nbits == 8 else { throw LanceError.unsupported("scalar codes of \(nbits) bits") }
            guard let start = storage["bounds"]?["start"]?.double, let end = storage["bounds"]?["end"]?.double else {
                throw LanceError.corrupt("the codes lack their bounds")
            }
            scalar = try ScalarQuantizer(start: start, end: end)
        }
        let model = try VectorIndexModel(
            kind: kind,
            metric: metric,
            element: centroids.element,
            dimension: centroids.columns,
            graph: graph,
            storedCentroids: centroids.values,
            storedCodebook: codebook,
            subvectors: subvectors,
            bits: bits,
            scalar: scalar,
            loss: stored.hasLoss ? stored.loss : nil
        )
        try check(file, model)
        return (model, rows)
    }

    /// The columns of the auxiliary file.
    private static func check(_ file: LanceFileReader, _ model: VectorIndexModel) throws(LanceError) {
        func need(_ name: String, _ fits: (ArrowType) -> Bool) throws(LanceError) {
            guard let field = file.schema.field(named: name), fits(field.type) else {
                throw .corrupt("the index has no column \"\(name)\" of the right type")
            }
        }
        try need(Name.rowID) { $0 == .uint64 }
        try need(codeColumn(model.kind)) { type in
            guard case .fixedSizeList(let item, let size) = type else { return false }
            return model.kind.compression == .flat
                ? item.type == model.element.arrowType && size == model.dimension
                : item.type == .uint8 && size == model.codeByteCount
        }
    }

    /// The column of a kind's vectors or codes.
    static func codeColumn(_ kind: VectorIndexKind) -> String {
        switch kind.compression {
        case .flat: Name.flat
        case .product: Name.product
        case .scalar: Name.scalar
        }
    }

    /// The graphs' places and levels.
    private static func graphs(
        _ file: LanceFileReader,
        _ stored: Lance_Index_Pb_IVF,
        _ rows: PartitionTable
    ) throws(LanceError) -> [StoredGraph] {
        for (name, type) in [(Name.vectorID, ArrowType.uint32), (Name.neighbors, .list(ArrowField("item", .uint32)))] {
            guard let field = file.schema.field(named: name), field.type.resembles(type) else {
                throw .corrupt("the index has no column \"\(name)\" of the right type")
            }
        }
        let table = try PartitionTable(stored, rowsInFile: file.rowCount)
        guard let texts = try json(try entry(file, Name.graphKey)).items, texts.count == rows.ranges.count,
            table.ranges.count == rows.ranges.count
        else { throw .corrupt("the index has not as many graphs as partitions") }
        var graphs: [StoredGraph] = []
        for (number, text) in texts.enumerated() {
            let count = rows.ranges[number].count
            guard let text = text.text else {
                throw .corrupt("the graph of partition \(number) is not described by a text")
            }
            if count == 0 {
                graphs.append(StoredGraph(rows: 0..<0, entryPoint: 0, levelOffsets: [0, 0]))
                continue
            }
            let graph = try json(text)
            guard let entry = graph["entry_point"]?.integer(0...Int(UInt32.max)),
                let offsets = graph["level_offsets"]?.items, offsets.count <= 256
            else { throw .corrupt("the graph of partition \(number) lacks its entry point or levels") }
            let levels = offsets.compactMap { $0.integer(0...Int(UInt32.max)) }
            guard levels.count == offsets.count, levels.count >= 2, levels[0] == 0,
                levels.last == table.ranges[number].count, levels == levels.sorted()
            else { throw .corrupt("the levels of the graph of partition \(number) are not its rows") }
            graphs.append(
                StoredGraph(rows: table.ranges[number], entryPoint: UInt32(entry), levelOffsets: levels)
            )
        }
        return graphs
    }

    /// How the graphs were built, as far as the file says.
    private static func graphParameters(_ file: LanceFileReader) -> VectorIndexModel.GraphParameters {
        var result = VectorIndexModel.GraphParameters()
        guard let texts = try? json(entry(file, Name.graphKey)).items else { return result }
        for case .string(let text) in texts where !text.isEmpty {
            guard let params = try? json(text)["params"] else { break }
            result.maxConnections = params["m"]?.integer(4...512) ?? result.maxConnections
            let ef = params["ef_construction"]?.integer(1...1 << 20) ?? result.efConstruction
            result.efConstruction = max(ef, result.maxConnections)
            result.maxLevel = params["max_level"]?.integer(1...64) ?? result.maxLevel
            break
        }
        return result
    }
}

extension ArrowType {
    /// Whether a list is of the same items, whatever their field is called.
    fileprivate func resembles(_ other: ArrowType) -> Bool {
        if case .list(let left) = self, case .list(let right) = other { return left.type == right.type }
        return self == other
    }
}

extension Lance_Index_Pb_Tensor {
    /// Reads a stored message.
    ///
    /// - Throws: `corrupt`.
    fileprivate init(stored bytes: ArrowBuffer) throws(LanceError) {
        do {
            try self.init(serializedBytes: bytes.bytes)
        } catch {
            throw LanceError(.corrupt, "the codebook of the index is not a valid message", cause: error)
        }
    }
}
