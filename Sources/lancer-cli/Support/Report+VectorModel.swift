import Lancer

extension Report {
    /// What is known of an index of vectors, from a table or from its files.
    mutating func addVectorModel(
        dimension: Int,
        elementType: String,
        codes: (subVectors: Int, bits: Int)?,
        bounds: (start: Double, end: Double)? = nil,
        graph: VectorIndexKind.Graph?
    ) {
        add("vectors", "\(dimension) × \(elementType)", nil, nil)
        add("dimension", nil, nil, .count(dimension))
        add("element type", nil, "elementType", .string(elementType))
        if let codes {
            add("codes", "\(codes.subVectors) sub-vectors of \(codes.bits) bits", nil, nil)
            add("sub-vectors", nil, "subVectors", .count(codes.subVectors))
            add("bits", nil, nil, .count(codes.bits))
        }
        if let bounds {
            add(
                "bounds",
                "\(bounds.start) to \(bounds.end)",
                nil,
                .array([.number(bounds.start), .number(bounds.end)])
            )
        }
        if let graph {
            add(
                "graph",
                "m \(graph.maxConnections), ef construction \(graph.efConstruction), at most \(graph.maxLevel) levels",
                nil,
                .object([
                    ("m", .count(graph.maxConnections)), ("efConstruction", .count(graph.efConstruction)),
                    ("maxLevel", .count(graph.maxLevel)),
                ])
            )
        }
    }
}
