import LancerBytes
import LancerIndex
import LancerKernels
import Testing

@Suite("quantisers")
struct QuantizerTests {
    @Test("scalar codes are rounded down between the bounds, and clamped")
    func scalar() throws {
        let quantizer = try ScalarQuantizer(start: -1, end: 1)
        let values: [Float] = [-1, -2, 1, 2, 0, 0.999, -0.999, .nan, .infinity, -.infinity]
        var codes = [UInt8](repeating: 9, count: values.count)
        quantizer.encode(values, count: values.count, into: &codes)
        #expect(codes == [0, 0, 255, 255, 127, 254, 0, 0, 255, 0])
        let flat = try ScalarQuantizer(start: 2, end: 2)
        flat.encode(values, count: values.count, into: &codes)
        #expect(codes.allSatisfy { $0 == 0 })
        #expect(throws: LanceError.self) { try ScalarQuantizer(start: 1, end: 0) }
        #expect(throws: LanceError.self) { try ScalarQuantizer(start: .nan, end: 0) }
        let rows: [Float] = [.nan, 3, -7, .infinity]
        let trained = try rows.withUnsafeBytes {
            try ScalarQuantizer(training: VectorRows($0.baseAddress!, count: 2, dimension: 2))
        }
        #expect(trained.start == -7 && trained.end == 3)
    }

    @Test("product codes name the nearest codewords; a decoded vector has the table's distance", arguments: [4, 8])
    func product(bits: Int) throws {
        let data = Clustered(count: 3000, dimension: 24, clusters: 30, spread: 0.7, seed: 21)
        var options = ProductQuantizer.Options(subvectors: 6)
        options.bits = bits
        let quantizer = try data.withRows { try ProductQuantizer.train($0, options, control: BuildControl(threads: 3)) }
        let again = try data.withRows { try ProductQuantizer.train($0, options) }
        #expect(quantizer.codebook.map { $0.bitPattern } == again.codebook.map { $0.bitPattern })
        let bytes = quantizer.codeByteCount
        var byRow = [UInt8](repeating: 0, count: bytes * 3000)
        var byColumn = byRow
        data.withRows {
            quantizer.encode($0, into: &byRow, rowStep: bytes, byteStep: 1)
            quantizer.encode($0, into: &byColumn, rowStep: 1, byteStep: 3000, control: BuildControl(threads: 2))
        }
        let query = data.row(17)
        var table = [Float](repeating: 0, count: quantizer.tableCount)
        quantizer.distanceTable(query, into: &table)
        var distances = [Float](repeating: 0, count: 3000)
        let codes = ProductCodes(kept(byColumn), stride: 3000, count: 3000, subvectors: 6, bits: bits)
        codes.distances(table, base: 0, into: &distances)
        var vector = [Float](repeating: 0, count: 24)
        for r in 0..<3000 {
            for b in 0..<bytes { #expect(byRow[r * bytes + b] == byColumn[b * 3000 + r]) }
            byRow.withUnsafeBufferPointer { pointer in
                quantizer.decode(pointer.baseAddress! + r * bytes, byteStep: 1, into: &vector)
            }
            let expected = zip(vector, query).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            #expect(abs(expected - distances[r]) <= 1e-4 * (1 + expected))
            if r % 100 == 0 { expectNearest(quantizer, data.row(r), vector) }
        }
    }

    private func expectNearest(_ quantizer: ProductQuantizer, _ row: [Float], _ decoded: [Float]) {
        let width = quantizer.subdimension
        func distance(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Float {
            zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        for i in 0..<quantizer.subvectors {
            let part = row[i * width..<(i + 1) * width]
            var best = Float.infinity
            for c in 0..<quantizer.codewords {
                let at = (i * quantizer.codewords + c) * width
                best = min(best, distance(part, quantizer.codebook[at..<at + width]))
            }
            #expect(distance(part, decoded[i * width..<(i + 1) * width]) <= best + 1e-4)
        }
    }

    @Test("with the squares of rows as bias one table of products serves every partition", arguments: [4, 8])
    func bias(bits: Int) throws {
        let data = Clustered(count: 1000, dimension: 16, clusters: 10, spread: 0.7, seed: 31)
        var options = ProductQuantizer.Options(subvectors: 4)
        options.bits = bits
        let quantizer = try data.withRows { try ProductQuantizer.train($0, options) }
        var codes = [UInt8](repeating: 0, count: quantizer.codeByteCount * 1000)
        data.withRows { quantizer.encode($0, into: &codes, rowStep: 1, byteStep: 1000) }
        let centroid = data.row(3)
        let query = data.row(500)
        let stored = ProductCodes(kept(codes), stride: 1000, count: 1000, subvectors: 4, bits: bits)
        var squares = [Float](repeating: 0, count: 1000)
        var table = [Float](repeating: 0, count: quantizer.tableCount)
        quantizer.squares(of: stored, centroid: centroid, into: &squares)
        quantizer.productTable(query, scale: -2, into: &table)
        var square: Float = 0
        var product: Float = 0
        for (a, b) in zip(query, centroid) {
            square += a * a
            product += a * b
        }
        let base = square - 2 * product
        var fast = [Float](repeating: 0, count: 1000)
        var slow = fast
        squares.withUnsafeBufferPointer {
            ProductCodes(kept(codes), stride: 1000, count: 1000, subvectors: 4, bits: bits, bias: $0.baseAddress)
                .distances(table, base: base, into: &fast)
        }
        let residual = zip(query, centroid).map { $0 - $1 }
        quantizer.distanceTable(residual, into: &table)
        stored.distances(table, base: 0, into: &slow)
        for r in 0..<1000 { #expect(abs(fast[r] - slow[r]) <= 1e-5 * (square + squares[r] + 1)) }
    }

    @Test("a scan finds the nearest codes, whatever is rounded, masked or limited", arguments: [4, 8])
    func scan(bits: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        for round in 0..<40 {
            let m = [2, 8, 48][round % 3]
            let count = [1, 100, 513, 700, 5000, 9001][round % 6]
            let codes = (0..<m * count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let table = (0..<m << bits).map { _ in Float(random.unit() * random.unit()) }
            let rowIDs = (0..<count).map { UInt64(count - $0) * 3 }
            let stored = ProductCodes(kept(codes), stride: count, count: count, subvectors: m, bits: bits)
            var all = [Float](repeating: 0, count: count)
            stored.distances(table, base: 1, into: &all)
            var mask = RowMask(count: count, allowed: false)
            for r in 0..<count where random.below(3) == 0 { mask[UInt32(r)] = true }
            let scanner = ProductScanner(subvectors: m, bits: bits)
            for (masked, ceiling) in [
                (false, Float.infinity), (true, .infinity), (false, all[count / 2]), (true, all[0]),
            ] {
                var expected = TopK(limit: 10)
                var found = TopK(limit: 10)
                for r in 0..<count where (!masked || mask[UInt32(r)]) && all[r] <= ceiling {
                    expected.insert(distance: all[r], row: rowIDs[r])
                }
                scanner.scan(
                    stored,
                    table: table,
                    base: 1,
                    filter: masked ? NodeFilter(mask: mask) : nil,
                    rowIDs: rowIDs,
                    ceiling: ceiling,
                    into: &found
                )
                #expect(found.sorted() == expected.sorted(), "seed \(seed), round \(round)")
                // The same partition again, as if another one with the same table: nothing new, nothing lost.
                var twice = found
                scanner.scan(stored, table: table, base: 2, isSameTable: true, rowIDs: rowIDs, into: &twice)
                #expect(twice.sorted().first == expected.sorted().first || masked || ceiling.isFinite)
            }
        }
    }

    @Test("stretched codewords lessen how much too small distances of unrelated vectors come out")
    func stretched() throws {
        // Many clusters: rows around the origin, as residuals are.
        let data = Clustered(count: 6000, dimension: 32, clusters: 2000, spread: 0.5, seed: 31)
        func trained(stretches: Bool) throws -> (ProductQuantizer, bias: Double) {
            var options = ProductQuantizer.Options(subvectors: 4)
            options.stretches = stretches
            let quantizer = try data.withRows { try ProductQuantizer.train($0, options) }
            return (quantizer, meanError(of: quantizer, data))
        }
        let plain = try trained(stretches: false)
        let stretched = try trained(stretches: true)
        #expect(plain.bias < 0)
        #expect(abs(stretched.bias) < abs(plain.bias) / 2)
        let factor = stretched.0.codebook[0] / plain.0.codebook[0]
        #expect(factor > 1.02 && factor <= 1.2)
        for (long, short) in zip(stretched.0.codebook, plain.0.codebook) { #expect(abs(long - short * factor) < 1e-4) }
    }

    /// The mean over rows, each with another one as the query, of the distance by codes less the true one.
    private func meanError(of quantizer: ProductQuantizer, _ data: Clustered) -> Double {
        let bytes = quantizer.codeByteCount
        var codes = [UInt8](repeating: 0, count: bytes * data.count)
        data.withRows { quantizer.encode($0, into: &codes, rowStep: bytes, byteStep: 1) }
        var sum = 0.0
        for r in 0..<data.count {
            let query = data.row((r + data.count / 2) % data.count)
            let own = Array(codes[r * bytes..<(r + 1) * bytes])
            let found = quantizer.distance(of: own, byteStep: 1, from: query)
            let exact = zip(query, data.row(r)).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            sum += Double(found - exact)
        }
        return sum / Double(data.count)
    }

    @Test("how far codewords are stretched")
    func stretchFactor() {
        #expect(ProductQuantizer.stretch(100, lost: 0) == 1)
        #expect(ProductQuantizer.stretch(0, lost: 0) == 1)
        #expect(ProductQuantizer.stretch(100, lost: 100) == 1)
        // Rows 1.2 times as long as what stands for them: two thirds of the way.
        #expect(abs(ProductQuantizer.stretch(144, lost: 44) - (1 + 0.4 / 3)) < 1e-12)
        #expect(ProductQuantizer.stretch(100, lost: 99) == 1.2)
    }

    @Test("impossible cuts are refused")
    func refused() throws {
        let data = Clustered(count: 255, dimension: 10, clusters: 5, spread: 0.1, seed: 3)
        for (m, bits) in [(4, 8), (0, 8), (5, 4), (5, 6), (5, 8)] {
            var options = ProductQuantizer.Options(subvectors: m)
            options.bits = bits
            #expect(throws: LanceError(.invalidArgument, "")) {
                try data.withRows { try ProductQuantizer.train($0, options) }
            }
        }
        #expect(throws: LanceError.self) {
            try ProductQuantizer(codebook: [1, 2], dimension: 8, subvectors: 2, bits: 8)
        }
    }

    @Test("top k: by distance, then by row; NaN never; any order of offers")
    func topK() {
        var random = SeededRandom(seed: 77)
        for k in [0, 1, 5, 100] {
            let offers = (0..<60).map { _ in TopK.Hit(distance: Float(random.below(6)), row: UInt64(random.below(1000)))
            }
            var top = TopK(limit: k)
            for hit in offers {
                top.insert(distance: hit.distance, row: hit.row)
                top.insert(distance: .nan, row: 0)
            }
            let sorted = offers.sorted { ($0.distance, $0.row) < ($1.distance, $1.row) }
            #expect(top.sorted() == Array(sorted.prefix(k)))
        }
    }
}
