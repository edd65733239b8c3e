import LancerBytes
import LancerTable

/// How the nearest neighbours of vectors are looked for: see ``Dataset/nearest(to:on:k:where:columns:options:onWarning:)``.
///
/// The defaults answer as the reference does when it is given nothing but a vector, except that a condition is applied
/// before the search.
public struct NearestSearch: Sendable, Hashable {
    /// When the condition on the rows is applied.
    public enum FilterTime: String, Sendable, Hashable, CaseIterable {
        /// Before the search: the k nearest of the rows for which it is true.
        case before
        /// After it: of the k nearest rows those for which it is true, which may be none.
        case after
    }

    /// Partitions looked at first, in each segment of the index; nil chooses by `k` and the distances of the centroids.
    public var minimumProbes: Int?
    /// Most partitions looked at; nil goes on until `k` rows are found.
    public var maximumProbes: Int?
    /// Candidates kept while a graph is searched, at least `k`; nil for one and a half times the rows wanted. Indices
    /// without graphs pass it over.
    public var ef: Int?
    /// Takes so many times `k` candidates from the index, computes their exact distances and gives the `k` nearest. Nil
    /// gives what the index finds, with its distances: those of PQ and SQ indices are approximate, and for cosine about
    /// 2·(1 − cos).
    ///
    /// The vectors compared (`k` times this number of each query, as many bytes each as in the column) stay in memory for
    /// later searches, within `indexCacheBytes` of ``Dataset/open(_:at:checksums:indexCacheBytes:onWarning:)``.
    public var refine: Int?
    /// Only rows at least this far away.
    public var minimumDistance: Float?
    /// Only rows nearer than this.
    public var maximumDistance: Float?
    /// The metric. Nil is the one of the index, and l2 without an index. An index of another metric is not used.
    public var metric: DistanceMetric?
    /// Whether an index may be used; without one the query is compared with every row.
    public var useIndex = true
    /// Whether rows are left out that the index does not cover yet. Else they are compared one by one.
    public var indexedRowsOnly = false
    /// When the condition is applied.
    public var filterTime = FilterTime.before

    /// The defaults, to be changed one by one.
    public init() {}

    /// A fixed number of partitions, with the other defaults.
    public init(nprobes: Int, refine: Int? = nil) {
        self.nprobes = nprobes
        self.refine = refine
    }

    /// Sets ``minimumProbes`` and ``maximumProbes`` to one number: a fixed budget, with which fewer than `k` rows may be
    /// found. Nil when they differ.
    public var nprobes: Int? {
        get { minimumProbes == maximumProbes ? minimumProbes : nil }
        set {
            minimumProbes = newValue
            maximumProbes = newValue
        }
    }

    /// The options as the table layer has them.
    func options(k: Int) throws(LanceError) -> NearestOptions {
        var options = NearestOptions()
        options.k = k
        options.minimumProbes = minimumProbes
        options.maximumProbes = maximumProbes
        options.ef = ef
        options.refine = refine
        options.lowerBound = minimumDistance
        options.upperBound = maximumDistance
        options.metric = metric?.vectorMetric
        options.usesIndex = useIndex
        options.indexedRowsOnly = indexedRowsOnly
        options.filterTime = filterTime == .before ? .before : .after
        return options
    }
}
