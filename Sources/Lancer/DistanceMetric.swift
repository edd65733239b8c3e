import LancerKernels

/// How far apart two vectors are. Smaller is nearer.
public enum DistanceMetric: String, Sendable, Hashable, CaseIterable {
    /// The squared Euclidean distance, ‖q − x‖².
    case l2
    /// 1 − cos(q, x), between 0 and 2. Vectors of zeros have none and are never found.
    case cosine
    /// 1 − q·x, which may be negative.
    case dot

    /// The metric of a lower layer.
    init(_ metric: VectorMetric) {
        switch metric {
        case .l2: self = .l2
        case .cosine: self = .cosine
        case .dot: self = .dot
        }
    }

    /// The metric as lower layers name it.
    var vectorMetric: VectorMetric {
        switch self {
        case .l2: .l2
        case .cosine: .cosine
        case .dot: .dot
        }
    }
}
