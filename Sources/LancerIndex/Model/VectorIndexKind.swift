import LancerArrow
import LancerBytes
import LancerKernels

/// The kinds of vector index that Lancer builds and searches; raw values are the names in index files.
package enum VectorIndexKind: String, Sendable, CaseIterable {
    case ivfFlat = "IVF_FLAT"
    case ivfPQ = "IVF_PQ"
    case ivfSQ = "IVF_SQ"
    case ivfHNSWFlat = "IVF_HNSW_FLAT"
    case ivfHNSWSQ = "IVF_HNSW_SQ"
    case ivfHNSWPQ = "IVF_HNSW_PQ"

    /// How vectors are kept.
    package enum Compression: Sendable {
        /// As they are (for cosine: scaled to length one).
        case flat
        /// Numbers of codewords, by sub-vector.
        case product
        /// A byte for each number.
        case scalar
    }

    /// How the vectors of a partition are kept.
    package var compression: Compression {
        switch self {
        case .ivfFlat, .ivfHNSWFlat: .flat
        case .ivfPQ, .ivfHNSWPQ: .product
        case .ivfSQ, .ivfHNSWSQ: .scalar
        }
    }

    /// Whether each partition has a graph.
    package var hasGraph: Bool {
        switch self {
        case .ivfFlat, .ivfPQ, .ivfSQ: false
        case .ivfHNSWFlat, .ivfHNSWSQ, .ivfHNSWPQ: true
        }
    }

    /// Rows that a partition has where neither their number nor that of partitions is given.
    package var defaultPartitionSize: Int {
        switch self {
        case .ivfFlat: 4096
        case .ivfPQ, .ivfSQ: 8192
        case .ivfHNSWFlat, .ivfHNSWSQ, .ivfHNSWPQ: 1 << 20
        }
    }

    /// The kind of a name, in any letter case.
    ///
    /// - Throws: `unsupported` naming a kind that Lancer does not know.
    package init(named name: String) throws(LanceError) {
        guard let kind = VectorIndexKind(rawValue: name.uppercased()) else {
            throw .unsupported("vector indexes of kind \"\(name)\"; known are \(Self.names)")
        }
        self = kind
    }

    private static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension VectorMetric {
    /// The name in index files: `l2`, `cosine`, `dot`.
    package var name: String {
        switch self {
        case .l2: "l2"
        case .cosine: "cosine"
        case .dot: "dot"
        }
    }

    /// The metric of a name, in any letter case.
    ///
    /// - Throws: `unsupported` for a metric that Lancer does not know.
    package init(named name: String) throws(LanceError) {
        switch name.lowercased() {
        case "l2", "euclidean": self = .l2
        case "cosine": self = .cosine
        case "dot": self = .dot
        default: throw .unsupported("distances by \"\(name)\"; known are l2, cosine and dot")
        }
    }
}

/// What the numbers of an indexed vector column are.
package enum VectorElementType: String, Sendable, CaseIterable {
    case float16, float32, float64

    /// Bytes of one number.
    package var byteCount: Int {
        switch self {
        case .float16: 2
        case .float32: 4
        case .float64: 8
        }
    }

    /// The Arrow type of one number.
    package var arrowType: ArrowType {
        switch self {
        case .float16: .float16
        case .float32: .float32
        case .float64: .float64
        }
    }

    /// The element type of vectors of an Arrow type, and their dimension.
    ///
    /// - Throws: `unsupported` unless the type is a fixed-size list of floating-point numbers.
    package static func ofVectors(_ type: ArrowType) throws(LanceError) -> (element: VectorElementType, dimension: Int)
    {
        guard case .fixedSizeList(let item, let size) = type, size > 0 else {
            throw .unsupported(
                "search in columns of type \(type); vectors are fixed-size lists of floating-point numbers"
            )
        }
        switch item.type {
        case .float16: return (.float16, size)
        case .float32: return (.float32, size)
        case .float64: return (.float64, size)
        default: throw .unsupported("search in vectors of \(item.type); their numbers must be floating-point")
        }
    }
}
