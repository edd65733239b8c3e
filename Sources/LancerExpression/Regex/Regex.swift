import LancerBytes

/// A regular expression made ready, matched in time proportional to text times pattern.
///
/// All ways through the pattern are followed at once, one character after the other (Thompson 1968, Pike), the earlier
/// alternative before the later one; so no pattern can make it slow.
struct Regex: Sendable {
    private enum Step: Sendable {
        case scalar(Int)
        case assertion(RegexAssertion)
        /// Go on at both, the first being preferred.
        case split(Int, Int)
        case jump(Int)
        case save(Int)
        case match
    }

    /// Most steps of a program; repetitions are written out.
    private static let maxSteps = 20_000

    private var steps: [Step] = []
    private var sets: [RegexSet] = []
    /// Number of capturing groups.
    let groupCount: Int

    /// - Throws: `invalidArgument` for text that is no pattern, `unsupported` for look-around, `limitExceeded`.
    init(_ pattern: String, flags: String = "") throws(LanceError) {
        let (node, groups) = try RegexParser.parse(pattern, flags: flags)
        groupCount = groups
        try emit(.save(0))
        try compile(node)
        try emit(.save(1))
        try emit(.match)
    }

    private mutating func emit(_ step: Step) throws(LanceError) {
        guard steps.count < Self.maxSteps else {
            throw .limitExceeded("a regular expression of more than \(Self.maxSteps) steps")
        }
        steps.append(step)
    }

    private mutating func compile(_ node: RegexNode) throws(LanceError) {
        switch node {
        case .empty: break
        case .scalar(let set):
            sets.append(set)
            try emit(.scalar(sets.count - 1))
        case .assertion(let assertion): try emit(.assertion(assertion))
        case .sequence(let parts): for part in parts { try compile(part) }
        case .group(let inner, let number):
            try emit(.save(number * 2))
            try compile(inner)
            try emit(.save(number * 2 + 1))
        case .alternatives(let branches):
            var ends: [Int] = []
            for (index, branch) in branches.enumerated() {
                guard index < branches.count - 1 else {
                    try compile(branch)
                    break
                }
                let split = steps.count
                try emit(.split(split + 1, 0))
                try compile(branch)
                ends.append(steps.count)
                try emit(.jump(0))
                steps[split] = .split(split + 1, steps.count)
            }
            for end in ends { steps[end] = .jump(steps.count) }
        case .repeated(let inner, let low, let high, let isGreedy):
            for _ in 0..<low { try compile(inner) }
            if let high {
                var splits: [Int] = []
                for _ in low..<Swift.max(high, low) {
                    splits.append(steps.count)
                    try emit(.split(0, 0))
                    try compile(inner)
                }
                for split in splits { steps[split] = choice(split + 1, steps.count, isGreedy) }
            } else {
                let split = steps.count
                try emit(.split(0, 0))
                try compile(inner)
                try emit(.jump(split))
                steps[split] = choice(split + 1, steps.count, isGreedy)
            }
        }
    }

    private func choice(_ inside: Int, _ outside: Int, _ isGreedy: Bool) -> Step {
        isGreedy ? .split(inside, outside) : .split(outside, inside)
    }

    /// Whether the pattern occurs in the text.
    func matches(_ text: [Unicode.Scalar]) -> Bool { find(text, from: 0, capturing: false) != nil }

    /// The first occurrence from `start` on: for each group (the whole being the first) begin and end, -1 when it took
    /// no part.
    func find(_ text: [Unicode.Scalar], from start: Int, capturing: Bool = true) -> [Int]? {
        var machine = Machine(steps: steps, sets: sets, slots: capturing ? (groupCount + 1) * 2 : 2)
        return machine.run(text, from: start, stopsEarly: !capturing)
    }

    /// The threads of a run: places in the program with the groups found on the way, preferred ones first.
    private struct Machine {
        let steps: [Step]
        let sets: [RegexSet]
        let slots: Int
        var current: [(step: Int, groups: [Int])] = []
        var following: [(step: Int, groups: [Int])] = []
        var seen: [Int]
        var generation = 0

        init(steps: [Step], sets: [RegexSet], slots: Int) {
            self.steps = steps
            self.sets = sets
            self.slots = slots
            seen = [Int](repeating: -1, count: steps.count)
        }

        mutating func run(_ text: [Unicode.Scalar], from start: Int, stopsEarly: Bool) -> [Int]? {
            var best: [Int]?
            var position = start
            while true {
                if best == nil {
                    // A new try begins here, behind all that began before.
                    if current.isEmpty { generation += 1 }
                    current += reached(0, [Int](repeating: -1, count: slots), position, text)
                }
                if current.isEmpty { break }
                generation += 1
                for (step, groups) in current {
                    switch steps[step] {
                    case .match:
                        best = groups
                        if stopsEarly { return best }
                    case .scalar(let set):
                        if position < text.count, sets[set].contains(text[position].value) {
                            following += reached(step + 1, groups, position + 1, text)
                        }
                        continue
                    default: continue
                    }
                    // Threads behind a match are less preferred.
                    break
                }
                swap(&current, &following)
                following.removeAll(keepingCapacity: true)
                if position >= text.count { break }
                position += 1
            }
            return best
        }

        /// Follows the steps that take no character, in order of preference, to threads not yet known at this place.
        mutating func reached(
            _ step: Int,
            _ groups: [Int],
            _ position: Int,
            _ text: [Unicode.Scalar]
        ) -> [(step: Int, groups: [Int])] {
            var threads: [(step: Int, groups: [Int])] = []
            var open = [(step: step, groups: groups)]
            while let (step, groups) = open.popLast() {
                if seen[step] == generation { continue }
                seen[step] = generation
                switch steps[step] {
                case .jump(let target): open.append((target, groups))
                case .split(let first, let second):
                    open.append((second, groups))
                    open.append((first, groups))
                case .save(let slot):
                    var groups = groups
                    if slot < slots { groups[slot] = position }
                    open.append((step + 1, groups))
                case .assertion(let assertion):
                    if holds(assertion, position, text) { open.append((step + 1, groups)) }
                case .scalar, .match: threads.append((step, groups))
                }
            }
            return threads
        }

        private func holds(_ assertion: RegexAssertion, _ position: Int, _ text: [Unicode.Scalar]) -> Bool {
            func isWord(_ index: Int) -> Bool {
                index >= 0 && index < text.count && RegexSet.word.contains(text[index].value)
            }
            switch assertion {
            case .textStart: return position == 0
            case .textEnd: return position == text.count
            case .lineStart: return position == 0 || text[position - 1] == "\n"
            case .lineEnd: return position == text.count || text[position] == "\n"
            case .wordBorder: return isWord(position - 1) != isWord(position)
            case .noWordBorder: return isWord(position - 1) == isWord(position)
            }
        }
    }
}
