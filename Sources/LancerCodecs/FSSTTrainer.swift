import LancerBytes

/// Chooses the symbols of a table from a sample of the text.
///
/// Each generation encodes the sample with the symbols so far, counts how often each symbol and each two neighbours
/// occur, and keeps the 255 symbols and concatenations that would save most. Good symbols grow that way from one to
/// eight bytes within a few generations. Everything is a function of the text: no randomness, no time.
///
/// Boncz, Neumann, Leis: FSST (VLDB 2020), sections 4.2 and 4.3.
struct FSSTTrainer {
    /// Bytes of text looked at.
    static let sampleBytes = 1 << 15
    /// Longest piece of one value in the sample, in bytes.
    private static let pieceBytes = 512
    private static let generations = 7
    /// A concatenation must be seen this often to count.
    private static let minimumCount = 4
    /// Codes 0..<256 are symbols, 256 + b is the byte b without a symbol.
    private static let codeSpace = 512

    private struct Candidate {
        var symbol: FSSTSymbol
        var gain: Int
    }

    private let sample: [UInt8]
    private let ends: [Int]

    /// Takes the sample; the offsets were found to be valid.
    init(offsets: VariableOffsets, data: UnsafeRawBufferPointer) {
        var sample: [UInt8] = []
        var ends: [Int] = []
        func take(_ range: Range<Int>) {
            guard !range.isEmpty else { return }
            sample.append(contentsOf: data[range])
            ends.append(sample.count)
        }
        let total = offsets[offsets.valueCount] - offsets[0]
        if total <= Self.sampleBytes {
            for index in 0..<offsets.valueCount { take(offsets[index]..<offsets[index + 1]) }
        } else {
            Self.spread(offsets, total: total, take)
        }
        self.sample = sample
        self.ends = ends
    }

    /// Takes pieces at pseudo-random places of the text, so that a value's chance grows with its length.
    private static func spread(_ offsets: VariableOffsets, total: Int, _ take: (Range<Int>) -> Void) {
        var state: UInt64 = 4_637_947
        var taken = 0
        while taken < sampleBytes {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let place = offsets[0] + Int((state >> 33) % UInt64(total))
            var low = 0
            var high = offsets.valueCount
            while high - low > 1 {
                let middle = (low + high) / 2
                if offsets[middle] <= place { low = middle } else { high = middle }
            }
            let piece = offsets[low] + (place - offsets[low]) / pieceBytes * pieceBytes
            let end = Swift.min(piece + pieceBytes, offsets[low + 1])
            take(piece..<end)
            taken += end - piece
        }
    }

    /// The symbols found, best first.
    func train() -> [FSSTSymbol] {
        guard !sample.isEmpty else { return [] }
        var book = FSSTCodeBook([])
        var best: [FSSTSymbol] = []
        var bestCost = Int.max
        var counts = FSSTCounts()
        for generation in 0...Self.generations {
            counts.clear()
            let cost = count(book, into: &counts)
            if cost < bestCost {
                bestCost = cost
                best = book.symbols
            }
            guard generation < Self.generations else { break }
            book = FSSTCodeBook(next(book, counts, isLast: generation == Self.generations - 1))
        }
        return best
    }

    /// Encodes the sample and returns its encoded size.
    private func count(_ book: FSSTCodeBook, into counts: inout FSSTCounts) -> Int {
        var cost = 0
        sample.withUnsafeBytes { text in
            guard let base = text.baseAddress else { return }
            book.withMatcher { matcher in
                var position = 0
                for end in ends {
                    var previous = -1
                    while position < end {
                        let word = base.textWord(at: position, end: end)
                        let match = matcher.match(word, limit: Swift.min(end - position, 8))
                        let code = match.isEscape ? 256 + Int(word & 0xFF) : Int(match.code)
                        counts.add(code)
                        if previous >= 0 {
                            counts.add(previous, code)
                            // The neighbour's first byte alone may be the better extension.
                            if match.length > 1 { counts.add(previous, 256 + Int(word & 0xFF)) }
                        }
                        // A long symbol's first byte stays in the race on its own.
                        if match.length > 1 { counts.add(256 + Int(word & 0xFF)) }
                        previous = code
                        position += match.length
                        cost += match.outputCount
                    }
                }
            }
        }
        return cost
    }

    /// The symbols of the next generation, best first.
    private func next(_ book: FSSTCodeBook, _ counts: FSSTCounts, isLast: Bool) -> [FSSTSymbol] {
        var candidates: [Candidate] = []
        func symbol(_ code: Int) -> FSSTSymbol {
            code < 256 ? book.symbols[code] : FSSTSymbol(byte: UInt8(code - 256))
        }
        for code in counts.present {
            let own = symbol(code)
            let count = counts[code]
            // Single bytes save an escape each time and keep rare text from doubling in size.
            candidates.append(Candidate(symbol: own, gain: own.length == 1 ? count * 2 : count * own.length))
            guard !isLast, own.length < 8 else { continue }
            counts.eachNeighbour(of: code, atLeast: Self.minimumCount) { neighbour, together in
                let joined = own.followed(by: symbol(neighbour))
                candidates.append(Candidate(symbol: joined, gain: together * joined.length))
            }
        }
        return Self.ranked(candidates)
    }

    /// Joins equal candidates and orders them by gain; ties are broken by the bytes, to be repeatable.
    private static func ranked(_ candidates: [Candidate]) -> [FSSTSymbol] {
        var sorted = candidates
        sorted.sort { left, right in
            (left.symbol.bytes, left.symbol.length) < (right.symbol.bytes, right.symbol.length)
        }
        var merged: [Candidate] = []
        for candidate in sorted {
            if let last = merged.last, last.symbol == candidate.symbol {
                merged[merged.count - 1].gain += candidate.gain
            } else {
                merged.append(candidate)
            }
        }
        merged.sort { left, right in
            (right.gain, left.symbol.length, left.symbol.bytes) < (left.gain, right.symbol.length, right.symbol.bytes)
        }
        return merged.map(\.symbol)
    }
}

/// How often codes and pairs of neighbouring codes occur.
struct FSSTCounts {
    private static let codes = 512
    private var single = [Int](repeating: 0, count: codes)
    private var pairs = [UInt16](repeating: 0, count: codes * codes)

    mutating func clear() {
        for index in single.indices { single[index] = 0 }
        for index in pairs.indices { pairs[index] = 0 }
    }

    mutating func add(_ code: Int) { single[code] += 1 }

    mutating func add(_ first: Int, _ second: Int) {
        let index = first * Self.codes + second
        if pairs[index] < UInt16.max { pairs[index] += 1 }
    }

    subscript(code: Int) -> Int { single[code] }

    /// The codes that occur.
    var present: [Int] { single.indices.filter { single[$0] > 0 } }

    /// Calls `body` with each code that follows `code` at least `minimum` times.
    func eachNeighbour(of code: Int, atLeast minimum: Int, _ body: (Int, Int) -> Void) {
        for next in 0..<Self.codes {
            let count = Int(pairs[code * Self.codes + next])
            if count >= minimum { body(next, count) }
        }
    }
}
