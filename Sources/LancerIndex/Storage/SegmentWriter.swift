import FoundationEssentials
import LancerArrow
import LancerBytes
import LancerFile
import LancerKernels
import LancerProto
import SwiftProtobuf

/// Writes the two files of a segment, partition after partition.
struct SegmentWriter {
    private let model: VectorIndexModel
    private var index: LanceFileWriter
    private var auxiliary: LanceFileWriter
    private var partitionSizes: [Int] = []
    private var graphRows: [Int] = []
    private var graphTexts: [String] = []

    private static let version = FileVersion.v2_2

    init(_ model: VectorIndexModel, index: any ByteSink, auxiliary: any ByteSink) throws(LanceError) {
        self.model = model
        // The same pages whatever the memory: a seed gives the same bytes.
        var options = FileWriteOptions()
        options.pageBytes = 2 << 20
        options.bufferedBytes = 8 << 20
        options.parallelism = 2
        self.index = try LanceFileWriter(
            schema: Self.indexSchema(model),
            version: Self.version,
            sink: index,
            options: options
        )
        self.auxiliary = try LanceFileWriter(
            schema: Self.auxiliarySchema(model),
            version: Self.version,
            sink: auxiliary,
            options: options
        )
    }

    private static var graphFields: [ArrowField] {
        [
            ArrowField(SegmentFiles.Name.vectorID, .uint32),
            ArrowField(SegmentFiles.Name.neighbors, .list(ArrowField("item", .uint32))),
            ArrowField(SegmentFiles.Name.distance, .list(ArrowField("item", .float32))),
        ]
    }

    private static func indexSchema(_ model: VectorIndexModel) throws(LanceError) -> LanceSchema {
        let metadata = [
            SegmentFiles.Name.indexKey:
                "{\"type\":\"\(model.kind.rawValue)\",\"distance_type\":\"\(model.metric.name)\"}",
            SegmentFiles.Name.ivfKey: "1",
        ]
        let marker = [ArrowField(SegmentFiles.Name.flatMarker, .uint64, nullable: false)]
        return try LanceSchema(arrow: ArrowSchema(model.kind.hasGraph ? graphFields : marker, metadata: metadata))
    }

    private static func auxiliaryFields(_ model: VectorIndexModel) -> [ArrowField] {
        let codes: ArrowType =
            model.kind.compression == .flat
            ? .fixedSizeList(ArrowField("item", model.element.arrowType), model.dimension)
            : .fixedSizeList(ArrowField("item", .uint8), model.codeByteCount)
        return [
            ArrowField(SegmentFiles.Name.rowID, .uint64),
            ArrowField(SegmentFiles.codeColumn(model.kind), codes, nullable: model.kind.compression != .flat),
        ]
    }

    private static func auxiliarySchema(_ model: VectorIndexModel) throws(LanceError) -> LanceSchema {
        var storage: String
        switch model.kind.compression {
        case .flat: storage = "{\"dim\":\(model.dimension)}"
        case .product:
            storage = "{\"codebook_position\":2,\"nbits\":\(model.product?.bits ?? 8),"
            storage += "\"num_sub_vectors\":\(model.product?.subvectors ?? 0),\"dimension\":\(model.dimension),"
            storage += "\"codebook_tensor\":[],\"transposed\":true}"
        case .scalar:
            storage = "{\"dim\":\(model.dimension),\"num_bits\":8,"
            storage += "\"bounds\":{\"start\":\(model.scalar?.start ?? 0),\"end\":\(model.scalar?.end ?? 0)}}"
        }
        let metadata = [
            SegmentFiles.Name.distanceKey: model.metric.name,
            SegmentFiles.Name.ivfKey: "1",
            SegmentFiles.Name.storageKey: "[\(ArrowText.json(quoting: storage))]",
        ]
        return try LanceSchema(arrow: ArrowSchema(auxiliaryFields(model), metadata: metadata))
    }

    /// Writes the next partition.
    ///
    /// - Parameters:
    ///   - codes: as the file keeps them: product codes by sub-vector.
    ///   - graph: for kinds with graphs, unless there are no rows.
    mutating func write(rowIDs: ArrowBuffer, codes: ArrowBuffer, graph: HNSWGraph?) throws(LanceError) {
        let count = rowIDs.count / 8
        partitionSizes.append(count)
        if count > 0 {
            let fields = Self.auxiliaryFields(model)
            let item: ArrowType = model.kind.compression == .flat ? model.element.arrowType : .uint8
            let width = model.kind.compression == .flat ? model.dimension : model.codeByteCount
            let child = ArrowArray(type: item, length: count * width, storage: .fixedWidth(codes))
            try auxiliary.write(
                RecordBatch(
                    schema: ArrowSchema(fields),
                    columns: [
                        ArrowArray(type: .uint64, length: count, storage: .fixedWidth(rowIDs)),
                        ArrowArray(type: fields[1].type, length: count, storage: .fixedSizeList(child: child)),
                    ]
                )
            )
        }
        if model.kind.hasGraph { try write(graph) }
    }

    private mutating func write(_ graph: HNSWGraph?) throws(LanceError) {
        var offsets = [0]
        for level in graph?.levels ?? [] {
            let members = level.members.isEmpty ? (0..<UInt32(level.count)).map { $0 } : level.members
            let lists = ArrowBuffer(level.offsets)
            guard let total = level.offsets.last, total <= UInt32(Int32.max) else {
                throw .limitExceeded("a graph of \(level.count) vectors is too big; use more partitions")
            }
            let count = level.count
            let neighbors = ArrowArray(
                type: .uint32,
                length: Int(total),
                storage: .fixedWidth(ArrowBuffer(level.neighborIDs))
            )
            let distances = ArrowArray(
                type: .float32,
                length: Int(total),
                storage: .fixedWidth(ArrowBuffer(level.distances))
            )
            try index.write(
                RecordBatch(
                    schema: ArrowSchema(Self.graphFields),
                    columns: [
                        ArrowArray(type: .uint32, length: count, storage: .fixedWidth(ArrowBuffer(members))),
                        ArrowArray(
                            type: Self.graphFields[1].type,
                            length: count,
                            storage: .list(offsets: lists, child: neighbors)
                        ),
                        ArrowArray(
                            type: Self.graphFields[2].type,
                            length: count,
                            storage: .list(offsets: lists, child: distances)
                        ),
                    ]
                )
            )
            offsets.append((offsets.last ?? 0) + count)
        }
        let rows = offsets.last ?? 0
        graphRows.append(rows)
        while offsets.count <= model.graph.maxLevel { offsets.append(rows) }
        var text = "{\"entry_point\":\(graph?.entryPoint ?? 0),\"params\":{\"max_level\":\(model.graph.maxLevel),"
        text += "\"m\":\(model.graph.maxConnections),\"ef_construction\":\(model.graph.efConstruction),"
        text += "\"prefetch_distance\":2},"
        text += "\"level_offsets\":[\(offsets.map(String.init).joined(separator: ","))]}"
        graphTexts.append(text)
    }

    /// Writes what is left of both files.
    ///
    /// - Returns: their sizes.
    mutating func finish() throws(LanceError) -> (index: UInt64, auxiliary: UInt64) {
        var centroids = try PartitionTable.message(
            lengths: model.kind.hasGraph ? graphRows : Array(repeating: 0, count: partitionSizes.count)
        )
        centroids.centroidsTensor = Lance_Index_Pb_Tensor(
            model.storedCentroids,
            model.element,
            rows: model.partitionCount,
            columns: model.dimension
        )
        if let loss = model.loss { centroids.loss = loss }
        _ = try index.addGlobalBuffer(try Self.serialized(centroids))
        if model.kind.hasGraph {
            let texts = graphTexts.map { ArrowText.json(quoting: $0) }.joined(separator: ",")
            index.setMetadata("[\(texts)]", for: SegmentFiles.Name.graphKey)
        } else {
            let texts = Array(repeating: "\"\"", count: partitionSizes.count).joined(separator: ",")
            index.setMetadata("[\(texts)]", for: SegmentFiles.Name.flatKey)
        }
        _ = try auxiliary.addGlobalBuffer(try Self.serialized(try PartitionTable.message(lengths: partitionSizes)))
        if let codebook = model.storedCodebook, let product = model.product {
            let tensor = Lance_Index_Pb_Tensor(
                codebook,
                model.element,
                rows: product.codewords,
                columns: model.dimension
            )
            _ = try auxiliary.addGlobalBuffer(try Self.serialized(tensor))
        }
        return (try index.finish().sizeInBytes, try auxiliary.finish().sizeInBytes)
    }

    private static func serialized(_ message: some SwiftProtobuf.Message) throws(LanceError) -> ArrowBuffer {
        do {
            let bytes: [UInt8] = try message.serializedBytes()
            return ArrowBuffer(bytes)
        } catch {
            throw LanceError(.limitExceeded, "the model of the index is too big for its file", cause: error)
        }
    }
}
