import LancerBytes
import LancerCodecs
import LancerIndex
import LancerProto
import LancerStorage
import SwiftProtobuf

/// Writes the files of one new segment and the entry that a manifest lists it by.
struct IndexWriter {
    let store: any ObjectStore
    /// The segment's uuid.
    let uuid: [UInt8]
    private(set) var paths: [String] = []

    init(store: any ObjectStore) {
        self.store = store
        var bytes = RandomName.randomBytes(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        uuid = bytes
    }

    /// Directory of the files.
    var directory: String { "\(IndexEntries.directory)/\(RandomName.uuid(uuid) ?? "")" }

    /// Writes both files; they are on the device when this returns, if the store is durable.
    ///
    /// - Parameter build: Fills the sinks.
    /// - Throws: what `build` throws, `io`; nothing is left behind then.
    mutating func write(
        _ build: (SegmentSinks) async throws -> BuiltVectorIndex
    ) async throws -> (built: BuiltVectorIndex, files: [Lance_Table_IndexFile]) {
        let index = try store.create("\(directory)/\(IndexFiles.indexName)")
        let auxiliary: any ObjectSink
        do {
            auxiliary = try store.create("\(directory)/\(IndexFiles.auxiliaryName)")
        } catch {
            index.cancel()
            await store.removeEmptyDirectory(directory)
            throw error
        }
        do {
            let scratch = IndexScratch(store: store, directory: directory)
            let built = try await build(SegmentSinks(index: index, auxiliary: auxiliary, scratch: scratch))
            let sizes = (index.count, auxiliary.count)
            try auxiliary.finish()
            paths.append("\(directory)/\(IndexFiles.auxiliaryName)")
            try index.finish()
            paths.append("\(directory)/\(IndexFiles.indexName)")
            return (
                built,
                [
                    .with {
                        $0.path = IndexFiles.indexName
                        $0.sizeBytes = sizes.0
                    },
                    .with {
                        $0.path = IndexFiles.auxiliaryName
                        $0.sizeBytes = sizes.1
                    },
                ]
            )
        } catch {
            index.cancel()
            auxiliary.cancel()
            await discard()
            throw error
        }
    }

    /// Removes what was written. Best effort: files that no version names do no harm.
    func discard() async {
        for path in paths { try? await store.delete(path) }
        await store.removeEmptyDirectory(directory)
    }

    /// The entry for a manifest.
    ///
    /// - Parameters:
    ///   - fragments: Those whose rows are in the segment.
    ///   - version: The version it was made from.
    /// - Throws: `limitExceeded` for fragment ids that the format cannot hold.
    func entry(
        name: String,
        fieldID: Int32,
        fragments: some Sequence<UInt64>,
        version: UInt64,
        details: Google_Protobuf_Any,
        files: [Lance_Table_IndexFile]
    ) -> Lance_Table_IndexMetadata {
        let ids = fragments.compactMap { UInt32(exactly: $0) }.sorted()
        let time = WallClock.now()
        return .with {
            $0.uuid.uuid = ArrowBuffer(uuid).data
            $0.fields = [fieldID]
            $0.name = name
            $0.datasetVersion = version
            $0.fragmentBitmap = RoaringBitmap(sortedValues: ids).serialized().data
            $0.indexDetails = details
            $0.indexVersion = 1
            $0.createdAt = UInt64(clamping: time.seconds) &* 1000 &+ UInt64(clamping: time.nanoseconds / 1_000_000)
            $0.files = files
        }
    }
}

extension VectorIndexDetails {
    /// Details of an index that was built.
    ///
    /// - Parameter targetPartitionSize: Rows a partition shall have; 0 leaves it to the kind's default.
    init(_ model: VectorIndexModel, targetPartitionSize: Int) {
        self.init(
            metric: model.metric,
            compression: Compression(model),
            graph: model.kind.hasGraph
                ? Graph(
                    maxConnections: model.graph.maxConnections,
                    constructionEf: model.graph.efConstruction,
                    maxLevel: model.graph.maxLevel
                ) : nil,
            targetPartitionSize: targetPartitionSize
        )
    }

    /// Details of an index that is still to be trained.
    init(_ parameters: VectorIndexParameters) {
        let compression: Compression =
            switch parameters.kind.compression {
            case .flat: .flat
            case .scalar: .scalar
            case .product: .product(subVectors: parameters.resolvedSubVectors, bits: parameters.bits)
            }
        self.init(
            metric: parameters.metric,
            compression: compression,
            graph: parameters.kind.hasGraph
                ? Graph(
                    maxConnections: parameters.maxConnections,
                    constructionEf: parameters.efConstruction,
                    maxLevel: parameters.maxLevel
                ) : nil,
            targetPartitionSize: parameters.targetPartitionSize ?? 0
        )
    }
}

extension VectorIndexDetails.Compression {
    fileprivate init(_ model: VectorIndexModel) {
        switch model.kind.compression {
        case .flat: self = .flat
        case .scalar: self = .scalar
        case .product:
            self = .product(subVectors: model.product?.subvectors ?? 0, bits: model.product?.bits ?? 8)
        }
    }
}
