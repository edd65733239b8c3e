import LancerBytes
import LancerKernels
import Synchronization

/// A partition in memory, ready to be searched.
final class DecodedPartition: @unchecked Sendable {
    // Safe to share: nothing changes after init.
    let count: Int
    let rowIDBuffer: ArrowBuffer
    /// Vectors (doubles as floats) or codes, as in the file.
    let codeBuffer: ArrowBuffer
    /// For each row of product codes |c + x̂|², where residuals are encoded and there is no graph.
    let bias: ScratchMemory<Float>?
    let graph: HNSWGraph?
    /// Product codes as the graph's search wants them.
    let productSpace: ProductSpace?
    /// Memory it takes.
    let byteCount: Int
    /// Searches of the graph so far.
    private let searches = Atomic<Int>(0)

    /// When a graph was searched once for so many bytes of its memory, the memory is moved to large pages: by then searches have
    /// lost about as much time as that takes.
    private static let bytesPerSearch = 32 << 10

    init(
        _ model: VectorIndexModel,
        number: Int,
        rowIDs: ArrowBuffer,
        codes: ArrowBuffer,
        graph: HNSWGraph?
    ) {
        count = rowIDs.count / 8
        rowIDBuffer = rowIDs.aligned(to: 8)
        self.graph = graph
        var buffer = codes
        if model.kind.compression == .flat, model.element == .float64 {
            let values = count * model.dimension
            buffer = ArrowBuffer(count: values * 4) { bytes in
                guard let out = bytes.baseAddress else { return }
                model.element.widen(codes, into: out.bindMemory(to: Float.self, capacity: values))
            }
        }
        codeBuffer = buffer
        var bytes = rowIDBuffer.count + codeBuffer.count + 256 + (graph?.byteCount ?? 0)
        if let product = model.product {
            let stored = Self.productCodes(codeBuffer, count, product, bias: nil)
            if graph != nil {
                productSpace = ProductSpace(stored, quantizer: product, metric: model.metric)
                bytes += count * product.subvectors
                bias = nil
            } else {
                productSpace = nil
                if model.metric == .dot {
                    bias = nil
                } else {
                    let squares = ScratchMemory<Float>(count: count, repeating: 0)
                    product.squares(of: stored, centroid: model.centroid(number), into: squares.pointer)
                    bias = squares
                    bytes += 4 * count
                }
            }
        } else {
            productSpace = nil
            bias = nil
        }
        byteCount = bytes
    }

    /// The rows' ids.
    var rowIDs: UnsafePointer<UInt64> { rowIDBuffer.start.assumingMemoryBound(to: UInt64.self) }

    /// The beginning of the codes, and of what belongs to them, is brought to the processor's cache.
    func willScan() {
        MemoryHint.willRead(codeBuffer.start, byteCount: codeBuffer.count)
        if let bias { MemoryHint.willRead(bias.pointer, byteCount: bias.count * 4) }
    }

    /// The graph is about to be searched.
    func willSearch() {
        let count = searches.wrappingAdd(1, ordering: .relaxed).newValue
        guard count == byteCount / Self.bytesPerSearch + 1, byteCount >= LargePages.leastBytes else { return }
        Task.detached(priority: .utility) { [self] in
            // Searches of product codes read the copy that lies row by row.
            let rows = productSpace?.memory ?? UnsafeRawBufferPointer(start: codeBuffer.start, count: codeBuffer.count)
            if let start = rows.baseAddress { await LargePages.moveGradually(start, byteCount: rows.count) }
            await graph?.moveToLargePages()
        }
    }

    /// Vectors, or codes of scalar quantisation.
    func rows(_ model: VectorIndexModel) -> VectorRows {
        let element: VectorElement =
            model.kind.compression == .scalar ? .uint8 : model.element == .float16 ? .float16 : .float32
        return VectorRows(codeBuffer.start, count: count, dimension: model.dimension, element: element)
    }

    /// Codes of product quantisation, with their bias.
    func codes(_ product: ProductQuantizer) -> ProductCodes {
        Self.productCodes(codeBuffer, count, product, bias: bias.map { UnsafePointer($0.pointer) })
    }

    private static func productCodes(
        _ buffer: ArrowBuffer,
        _ count: Int,
        _ product: ProductQuantizer,
        bias: UnsafePointer<Float>?
    ) -> ProductCodes {
        ProductCodes(
            buffer.start.assumingMemoryBound(to: UInt8.self),
            stride: count,
            count: count,
            subvectors: product.subvectors,
            bits: product.bits,
            bias: bias
        )
    }
}

extension VectorIndexModel {
    /// The centroid of a partition.
    func centroid(_ partition: Int) -> UnsafePointer<Float> { UnsafePointer(centroids.pointer + partition * dimension) }
}

extension HNSWGraph {
    /// Memory of the lists.
    var byteCount: Int {
        levels.reduce(0) { $0 + 4 * ($1.members.count + $1.offsets.count + $1.neighborIDs.count + $1.distances.count) }
    }
}
