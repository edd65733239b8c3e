import LancerKernels
import Testing

@Suite("distances agree with their twins at every level")
struct DistanceTests {
    static let dimensions =
        Array(0...70) + [96, 100, 127, 128, 129, 255, 256, 257, 300, 383, 384, 768, 1000, 1024, 1536, 1600]

    @Test("float rows, from any address")
    func floats() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Random(seed)
        for dimension in Self.dimensions + (0..<20).map({ _ in Int.random(in: 1...1600, using: &random) }) {
            let count = Int.random(in: 0...11, using: &random)
            let query = random.floats(dimension)
            var rows = (0..<count).map { _ in random.floats(dimension) }
            if count > 2, dimension > 0 {
                rows[0] = Array(repeating: 0, count: dimension)
                rows[1][dimension - 1] = [.nan, .infinity, -.infinity][Int.random(in: 0...2, using: &random)]
            }
            let memory = Shifted(rows.flatMap { $0 }, shift: Int.random(in: 0...63, using: &random))
            let view = VectorRows(memory.start, count: count, dimension: dimension)
            check(view, query, rows, "seed \(seed), dimension \(dimension)")
        }
    }

    @Test("half rows, from any address")
    func halves() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Random(seed)
        for dimension in Self.dimensions {
            let count = Int.random(in: 0...11, using: &random)
            let query = random.floats(dimension)
            // Exponents around one: no overflow in sums; subnormal numbers and zero now and then.
            let rows = (0..<count).map { _ in
                (0..<dimension).map { _ in
                    UInt16.random(in: 0 ... .max, using: &random) & (Bool.random(using: &random) ? 0xBFFF : 0x83FF)
                }
            }
            let memory = Shifted(halves: rows.flatMap { $0 }, shift: Int.random(in: 0...63, using: &random))
            let view = VectorRows(memory.start, count: count, dimension: dimension, element: .float16)
            check(view, query, rows.map { $0.map(Twin.widen) }, "seed \(seed), dimension \(dimension)")
        }
    }

    private func check(_ view: VectorRows, _ query: [Float], _ rows: [[Float]], _ what: String) {
        let count = view.count
        let dimension = view.dimension
        let norm = Float(Twin.dot(query, query).value.squareRoot())
        let ids = (0..<UInt32(count)).reversed() + (0..<UInt32(count))
        atEveryLevel { level in
            var out = [Float](repeating: 7, count: count)
            var gathered = [Float](repeating: 7, count: 2 * count)
            view.distances(.l2, from: query, into: &out)
            view.gatherL2(from: query, ids: ids, count: ids.count, into: &gathered)
            for r in 0..<count {
                let twin = Twin.l2(query, rows[r])
                #expect(isClose(out[r], twin.value, scale: twin.scale, count: dimension), "l2 \(level), \(what)")
                #expect(
                    out[r].bitPattern == gathered[count + r].bitPattern || out[r].isNaN,
                    "l2 gathered \(level), \(what)"
                )
                #expect(out[r].bitPattern == gathered[count - 1 - r].bitPattern || out[r].isNaN)
            }
            view.products(with: query, into: &out)
            view.gatherProducts(with: query, ids: ids, count: ids.count, into: &gathered)
            for r in 0..<count {
                let twin = Twin.dot(query, rows[r])
                #expect(isClose(out[r], twin.value, scale: twin.scale, count: dimension), "dot \(level), \(what)")
                #expect(
                    out[r].bitPattern == gathered[count + r].bitPattern || out[r].isNaN,
                    "dot gathered \(level), \(what)"
                )
            }
            view.distances(.cosine, from: query, norm: norm, into: &out)
            for r in 0..<count {
                let twin = Twin.cosine(query, rows[r])
                #expect(isClose(out[r], twin, scale: 4, count: dimension), "cosine \(level), \(what)")
            }
        }
    }

    @Test("byte rows: squares exactly, products with floats closely")
    func bytes() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Random(seed)
        for dimension in Self.dimensions + [65_536, 140_000] {
            let count = dimension > 2000 ? 2 : Int.random(in: 0...7, using: &random)
            let query = dimension > 2000 ? [UInt8](repeating: 255, count: dimension) : random.bytes(dimension)
            let rows = (0..<count).map { _ in
                dimension > 2000 ? [UInt8](repeating: 0, count: dimension) : random.bytes(dimension)
            }
            let floats = random.floats(dimension)
            let memory = Shifted(rows.flatMap { $0 }, shift: Int.random(in: 0...63, using: &random))
            let view = VectorRows(memory.start, count: count, dimension: dimension, element: .uint8)
            let ids = Array(0..<UInt32(count))
            atEveryLevel { level in
                var out = [Float](repeating: 7, count: count)
                var gathered = out
                view.byteDistances(from: query, into: &out)
                view.gatherL2(from: query, ids: ids, count: count, into: &gathered)
                for r in 0..<count {
                    let twin = zip(query, rows[r]).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
                    #expect(out[r] == Float(twin), "\(level), seed \(seed), dimension \(dimension)")
                    #expect(gathered[r] == Float(twin))
                }
                view.products(with: floats, into: &out)
                for r in 0..<count {
                    let twin = Twin.dot(floats, rows[r].map(Float.init))
                    #expect(isClose(out[r], twin.value, scale: twin.scale, count: dimension), "\(level), seed \(seed)")
                }
            }
        }
    }

    @Test("every half widens to its number, and floats narrow to the nearest half, the same at every level")
    func conversions() {
        var random = Random(1)
        let halves = (0...UInt16.max).map { $0 }
        var values = (0..<5000).map { _ in Float(bitPattern: UInt32.random(in: 0 ... .max, using: &random)) }
        // Between any two neighbours: the middle, and a little to both sides.
        for half in halves where half & 0x7C00 < 0x7800 {
            let middle = (Twin.widen(half) + Twin.widen(half + 1)) / 2
            values += [middle, middle.nextUp, middle.nextDown]
        }
        values += [65_504, 65_519.996, 65_520, .infinity, -.infinity, 0, -0.0, 0x1p-25, 0x1.000002p-25]
        var expected: [UInt16] = []
        atEveryLevel { level in
            var floats = [Float](repeating: 7, count: halves.count)
            HalfConversion.widen(halves, count: halves.count, into: &floats)
            for half in halves {
                let twin = Twin.widen(half)
                let value = floats[Int(half)]
                if value.bitPattern != twin.bitPattern, !(value.isNaN && twin.isNaN) {
                    Issue.record("\(half) at \(level)")
                }
            }
            var back = [UInt16](repeating: 7, count: values.count)
            HalfConversion.narrow(values, count: values.count, into: &back)
            if expected.isEmpty {
                expected = back
                for (value, half) in zip(values, back) where !value.isNaN {
                    if !Self.isNearest(half, value) { Issue.record("\(value) became \(half)") }
                }
            }
            for i in values.indices where !values[i].isNaN && back[i] != expected[i] {
                Issue.record("\(values[i]) at \(level): \(back[i]), not \(expected[i])")
            }
            for i in values.indices where values[i].isNaN { #expect(Twin.widen(back[i]).isNaN) }
        }
    }

    private static func isNearest(_ half: UInt16, _ value: Float) -> Bool {
        let magnitude = Double(abs(value))
        let found = half & 0x7FFF
        guard (half >> 15 == 1) == (value.sign == .minus) else { return false }
        if found == 0x7C00 { return magnitude >= 65_520 }
        func distance(_ bits: UInt16) -> Double { abs(Double(Twin.widen(bits)) - magnitude) }
        let own = distance(found)
        if found > 0, distance(found - 1) < own || (distance(found - 1) == own && found & 1 == 1) { return false }
        if found < 0x7BFF, distance(found + 1) < own || (distance(found + 1) == own && found & 1 == 1) { return false }
        return true
    }

    @Test("sums of rows")
    func sums() {
        var random = Random(5)
        for count in Self.dimensions {
            let row = random.floats(count)
            let start = random.floats(count)
            let memory = Shifted(row, shift: 3)
            atEveryLevel { level in
                var sum = start
                RowSum.add(memory.start, to: &sum, count: count)
                #expect(sum == zip(start, row).map(+), "\(level), \(count)")
            }
        }
    }
}
