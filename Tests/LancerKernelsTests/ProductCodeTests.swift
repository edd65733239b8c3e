import LancerKernels
import Testing

@Suite("product codes")
struct ProductCodeTests {
    struct Case {
        var codes: [UInt8]
        var table: [Float]
        var bias: [Float]
        var count: Int
        var subvectors: Int
        var bits: Int

        init(_ random: inout Random, subvectors: Int, bits: Int) {
            count = [0, 1, 15, 31, 32, 63, 64, 65, 255, 256, 257, 1000].randomElement(using: &random) ?? 0
            self.subvectors = subvectors
            self.bits = bits
            codes = random.bytes(count * (bits == 8 ? subvectors : (subvectors + 1) / 2))
            table = random.floats(subvectors << bits).map(abs)
            bias = random.floats(count)
        }

        func code(_ i: Int, _ r: Int) -> Int {
            let byte = Int(codes[(bits == 8 ? i : i / 2) * count + r])
            return bits == 8 ? byte : i % 2 == 0 ? byte & 15 : byte >> 4
        }

        /// Floats added in the order of sub-vectors: what every level must give to the last bit.
        func distance(_ r: Int, base: Float, biased: Bool) -> Float {
            var sum: Float = 0
            for i in 0..<subvectors { sum += table[i << bits + code(i, r)] }
            return sum + (base + (biased ? bias[r] : 0))
        }
    }

    @Test("scans sum tables in order, to the same bits at every level", arguments: [4, 8])
    func scans(bits: Int) {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Random(seed)
        for round in 0..<60 {
            let m = [1, 2, 3, 8, 16, 48, 96, 300][round % 8]
            let test = Case(&random, subvectors: m, bits: bits)
            for biased in [false, true] {
                let expected = (0..<test.count).map { test.distance($0, base: 0.25, biased: biased) }
                let ids = (0..<UInt32(test.count)).filter { $0 % 3 == 1 }
                test.bias.withUnsafeBufferPointer { bias in
                    let codes = ProductCodes(
                        kept(test.codes),
                        stride: test.count,
                        count: test.count,
                        subvectors: m,
                        bits: bits,
                        bias: biased ? bias.baseAddress : nil
                    )
                    atEveryLevel { level in
                        var out = [Float](repeating: 7, count: test.count)
                        codes.distances(test.table, base: 0.25, into: &out)
                        #expect(out == expected, "\(level), seed \(seed), round \(round)")
                        codes.distances(test.table, base: 0.25, of: ids, count: ids.count, into: &out)
                        #expect(Array(out.prefix(ids.count)) == ids.map { expected[Int($0)] })
                    }
                }
            }
        }
    }

    @Test(
        "a rounded table never rejects a row within the limit, and every level keeps the same rows",
        arguments: [4, 8]
    )
    func filters(bits: Int) {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Random(seed)
        for round in 0..<80 {
            let m = [1, 2, 3, 8, 16, 48, 96, 300][round % 8]
            var test = Case(&random, subvectors: m, bits: bits)
            if round % 5 == 0 { test.table = test.table.map { ($0 * 4).rounded() } }
            if round % 11 == 3 { test.table = test.table.map { $0 + 1000 } }
            let rounded = RoundedTable(subvectors: m, codewords: 1 << bits)
            for biased in [false, true] {
                let exact = (0..<test.count).map { test.distance($0, base: -1, biased: biased) }
                let limit = exact.isEmpty ? 1 : exact.sorted()[Int.random(in: 0..<exact.count, using: &random)]
                test.bias.withUnsafeBufferPointer { bias in
                    let codes = ProductCodes(
                        kept(test.codes),
                        stride: test.count,
                        count: test.count,
                        subvectors: m,
                        bits: bits,
                        bias: biased ? bias.baseAddress : nil
                    )
                    var first: [UInt32]?
                    atEveryLevel { level in
                        guard rounded.update(test.table, limit: round % 2 == 0 ? .infinity : limit + 1) else { return }
                        var out = [UInt32](repeating: 7, count: test.count + 64)
                        let found = codes.candidates(rounded, base: -1, limit: limit, into: &out)
                        let kept = Array(out.prefix(found))
                        let lost = (0..<test.count).filter { exact[$0] <= limit && !kept.contains(UInt32($0)) }
                        #expect(lost.isEmpty, "\(level), seed \(seed), round \(round)")
                        #expect(kept == kept.sorted() && kept.allSatisfy { $0 < test.count })
                        if let first { #expect(kept == first, "\(level), seed \(seed), round \(round)") }
                        first = kept
                    }
                }
            }
        }
    }

    @Test("a table with numbers that are not finite is not rounded")
    func notFinite() {
        atEveryLevel { _ in
            for bad in [Float.nan, .infinity, -.infinity] {
                var table = [Float](repeating: 1, count: 512)
                table[256] = bad
                table[3] = 2
                #expect(!RoundedTable(subvectors: 2, codewords: 256).update(table, limit: .infinity))
            }
        }
    }

    @Test("tables hold distances and products of sub-vectors, the same bits at every level")
    func tables() {
        var random = Random(3)
        for (m, d, words) in [(1, 1, 16), (4, 2, 16), (3, 5, 256), (48, 8, 256), (7, 3, 256)] {
            let query = random.floats(m * d)
            let transposed = random.floats(m * d * words)
            var l2 = [Float](repeating: 0, count: m * words)
            var products = l2
            for i in 0..<m {
                for c in 0..<words {
                    for j in 0..<d {
                        let a = query[i * d + j]
                        let b = transposed[(i * d + j) * words + c]
                        l2[i * words + c] += (a - b) * (a - b)
                        products[i * words + c] += a * b
                    }
                }
            }
            atEveryLevel { level in
                var out = [Float](repeating: 7, count: m * words)
                let make = { (kind: Bool) in
                    (kind ? ProductTable.l2 : ProductTable.products)(query, transposed, m, words, d, &out)
                }
                make(true)
                #expect(out == l2, "\(level)")
                make(false)
                #expect(out == products, "\(level)")
                ProductTable.combine(l2, plus: -2, times: products, count: out.count, into: &out)
                #expect(out == zip(l2, products).map { $0 + -2 * $1 }, "\(level)")
            }
        }
    }

    @Test("codes by row are summed as those by column")
    func gather() {
        var random = Random(4)
        let m = 13
        let count = 50
        let codes = random.bytes(m * count)
        let table = random.floats(m * 256)
        let ids = (0..<37).map { _ in UInt32.random(in: 0..<UInt32(count), using: &random) }
        var out = [Float](repeating: 0, count: ids.count)
        RowCodes.gather(codes, ids: ids, count: ids.count, subvectors: m, table: table, base: 1, into: &out)
        for (j, id) in ids.enumerated() {
            var sum: Float = 0
            for i in 0..<m { sum += table[i * 256 + Int(codes[Int(id) * m + i])] }
            #expect(out[j] == sum + 1)
        }
    }

    @Test("positions of small numbers; NaN is none")
    func select() {
        var random = Random(9)
        for count in 0...70 {
            var values = random.floats(count)
            if count > 3 { values[2] = .nan }
            let expected = (0..<UInt32(count)).filter { values[Int($0)] <= 0.5 }
            atEveryLevel { level in
                var out = [UInt32](repeating: 7, count: count + 16)
                let found = DistanceFilter.atMost(0.5, in: values, count: count, into: &out)
                #expect(Array(out.prefix(found)) == expected, "\(level), \(count)")
            }
        }
    }
}
