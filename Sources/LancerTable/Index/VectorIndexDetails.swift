import LancerBytes
import LancerKernels
import LancerProto
import SwiftProtobuf

/// What a manifest says of a vector index. Readers choose the index by it, so it is written whole or not at all.
///
/// Spec: 13-vector-index.md, "Index details".
package struct VectorIndexDetails: Sendable, Hashable {
    /// How vectors are stored.
    package enum Compression: Sendable, Hashable {
        case flat
        case product(subVectors: Int, bits: Int)
        case scalar
        /// A kind that Lancer does not read.
        case rabit
    }

    /// How graphs were built.
    package struct Graph: Sendable, Hashable {
        package var maxConnections: Int
        package var constructionEf: Int
        package var maxLevel: Int
    }

    /// Nil for a metric that Lancer does not know (hamming).
    package var metric: VectorMetric?
    package var compression: Compression
    package var graph: Graph?
    /// Rows a partition shall have, 0 when it is not said.
    package var targetPartitionSize: Int

    /// Reads details; nil when there are none, they are empty, or of another kind of index.
    ///
    /// - Throws: `corrupt`.
    init?(_ details: Google_Protobuf_Any?) throws(LanceError) {
        guard let details, !details.value.isEmpty,
            details.typeURL.lowercased().hasSuffix(".vectorindexdetails")
        else { return nil }
        let message = try ArrowBuffer(Array(details.value))
            .decoded(as: Lance_Index_Pb_VectorIndexDetails.self, "vector index details")
        metric =
            switch message.metricType {
            case .l2: .l2
            case .cosine: .cosine
            case .dot: .dot
            case .hamming, .UNRECOGNIZED: nil
            }
        switch message.compression {
        case .pq(let pq): compression = .product(subVectors: Int(pq.numSubVectors), bits: Int(pq.numBits))
        case .sq: compression = .scalar
        case .rq: compression = .rabit
        case .flat, nil: compression = .flat
        }
        if message.hasHnswIndexConfig {
            let graph = message.hnswIndexConfig
            self.graph = Graph(
                maxConnections: Int(graph.maxConnections),
                constructionEf: Int(graph.constructionEf),
                maxLevel: Int(graph.maxLevel)
            )
        }
        targetPartitionSize = Int(clamping: message.targetPartitionSize)
    }

    /// Details for a new index.
    package init(metric: VectorMetric, compression: Compression, graph: Graph?, targetPartitionSize: Int) {
        self.metric = metric
        self.compression = compression
        self.graph = graph
        self.targetPartitionSize = targetPartitionSize
    }

    /// The kind as the reference spells it.
    package var typeName: String {
        let quantizer =
            switch compression {
            case .flat: "FLAT"
            case .product: "PQ"
            case .scalar: "SQ"
            case .rabit: "RQ"
            }
        return graph == nil ? "IVF_\(quantizer)" : "IVF_HNSW_\(quantizer)"
    }

    /// The details for a manifest.
    ///
    /// - Throws: `unsupported` for what Lancer does not write.
    func message() throws(LanceError) -> Google_Protobuf_Any {
        var message = Lance_Index_Pb_VectorIndexDetails()
        switch metric {
        case .l2: message.metricType = .l2
        case .cosine: message.metricType = .cosine
        case .dot: message.metricType = .dot
        case nil: throw .unsupported("writing an index of this metric")
        }
        switch compression {
        case .flat: message.flat = .init()
        case .product(let subVectors, let bits):
            message.pq = .with {
                $0.numSubVectors = UInt32(clamping: subVectors)
                $0.numBits = UInt32(clamping: bits)
            }
        case .scalar: message.sq = .with { $0.numBits = 8 }
        case .rabit: throw .unsupported("writing an index of this kind")
        }
        if let graph {
            message.hnswIndexConfig = .with {
                $0.maxConnections = UInt32(clamping: graph.maxConnections)
                $0.constructionEf = UInt32(clamping: graph.constructionEf)
                $0.maxLevel = UInt32(clamping: graph.maxLevel)
            }
        }
        message.targetPartitionSize = UInt64(clamping: targetPartitionSize)
        let value = try message.encodedData("vector index details")
        return .with {
            $0.typeURL = "/lance.index.pb.VectorIndexDetails"
            $0.value = value
        }
    }
}
