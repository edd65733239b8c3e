import LancerArrow

/// What the values under one key look like, over all lines so far, and the type that holds them all.
final class JSONKinds {
    private struct Seen: OptionSet {
        let rawValue: UInt8
        static let bool = Seen(rawValue: 1)
        static let integer = Seen(rawValue: 2)
        static let float = Seen(rawValue: 4)
        static let string = Seen(rawValue: 8)
        static let array = Seen(rawValue: 16)
        static let object = Seen(rawValue: 32)
        static let number: Seen = [.integer, .float]
    }

    /// What is known of the integers.
    private struct Integers: OptionSet {
        let rawValue: UInt8
        static let negative = Integers(rawValue: 1)
        /// Above int64, within uint64.
        static let large = Integers(rawValue: 2)
        /// Beyond both.
        static let huge = Integers(rawValue: 4)
        /// Not exact as a double.
        static let inexact = Integers(rawValue: 8)
    }

    private var seen: Seen = []
    private var integers: Integers = []
    private var item: JSONKinds?
    private var names: [[UInt8]] = []
    private var members: [JSONKinds] = []
    private var places: [[UInt8]: Int] = [:]
    /// The object in which a member was last seen, by number, to notice keys that come twice.
    private var lastObject = 0
    private var objectCount = 0

    // MARK: Looking

    /// Looks at the next value of the scanner.
    func note(_ scanner: inout JSONScanner, depth: Int) throws(JSONFault) {
        switch try scanner.peek() {
        case .null: try scanner.null()
        case .bool:
            _ = try scanner.bool()
            try add(.bool)
        case .string:
            _ = try scanner.string()
            try add(.string)
        case .number: try note(number: try scanner.number())
        case .array:
            try add(.array)
            try JSONScanner.check(depth: depth)
            let item = self.item ?? JSONKinds()
            self.item = item
            guard scanner.open(0x5D) else { return }
            var index = 0
            repeat {
                do throws(JSONFault) {
                    try item.note(&scanner, depth: depth + 1)
                } catch { throw error.under(index: index) }
                index += 1
            } while try scanner.hasMore(0x5D)
        case .object: try note(object: &scanner, depth: depth)
        }
    }

    private func note(object scanner: inout JSONScanner, depth: Int) throws(JSONFault) {
        try add(.object)
        try JSONScanner.check(depth: depth)
        objectCount += 1
        guard scanner.open(0x7D) else { return }
        var next = 0
        repeat {
            let key = try scanner.key()
            let place = place(of: key, near: next)
            next = place + 1
            let member = members[place]
            do throws(JSONFault) {
                guard member.lastObject != objectCount else { throw JSONFault("the key comes twice in one object") }
                member.lastObject = objectCount
                try member.note(&scanner, depth: depth + 1)
            } catch { throw error.under(String(decoding: names[place], as: UTF8.self)) }
        } while try scanner.hasMore(0x7D)
    }

    private func place(of key: JSONScanner.Token, near next: Int) -> Int {
        if next < names.count, names[next].elementsEqual(key.bytes) { return next }
        let name = Array(key.bytes)
        if let known = places[name] { return known }
        places[name] = names.count
        names.append(name)
        members.append(JSONKinds())
        return names.count - 1
    }

    private func note(number token: JSONScanner.Token) throws(JSONFault) {
        var isInteger = true
        for byte in token.bytes where byte == 0x2E || byte | 0x20 == 0x65 { isInteger = false }
        guard isInteger else {
            guard let value = FloatText.double(token.start, token.count), value.isFinite else {
                throw JSONFault("\(token.string) is beyond float64; give a schema")
            }
            return try add(.float)
        }
        // A negative zero is an integer of which the sign would be lost.
        if token.count == 2, token.start[0] == 0x2D, token.start[1] == 0x30 { return try add(.float) }
        if token.start[0] == 0x2D { integers.insert(.negative) }
        if token.count > 15 {
            if IntegerText.signed(token.start, token.count) == nil {
                integers.insert(IntegerText.unsigned(token.start, token.count) == nil ? .huge : .large)
            }
            if !JSONNumber.survivesDouble(token.start, token.count) { integers.insert(.inexact) }
        }
        try add(.integer)
    }

    @inline(__always)
    private func add(_ kind: Seen) throws(JSONFault) {
        if seen.contains(kind), kind != .integer { return }
        try combine(kind)
    }

    private func combine(_ kind: Seen) throws(JSONFault) {
        let before = seen
        seen.insert(kind)
        guard seen == kind || seen.isSubset(of: .number) else {
            throw JSONFault("\(Self.name(kind)), but lines before have \(Self.name(before)) here; give a schema")
        }
        guard seen.contains(.integer), !integers.isEmpty else { return }
        let asFloat = seen.contains(.float) || integers.contains(.huge)
        if asFloat, integers.contains(.inexact) {
            throw JSONFault("integers here do not fit int64, uint64 or, without losing digits, float64; give a schema")
        }
        if !asFloat, integers.contains([.negative, .large]), integers.contains(.inexact) {
            throw JSONFault("integers here are both below zero and beyond int64; give a schema")
        }
    }

    private static func name(_ kinds: Seen) -> String {
        switch kinds {
        case .bool: "a boolean"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        default: "a number"
        }
    }

    // MARK: Result

    /// The type that holds every value seen.
    var type: ArrowType {
        if seen.contains(.bool) { return .bool }
        if seen.contains(.string) { return .utf8 }
        if seen.contains(.array) { return .list(ArrowField("item", item?.type ?? .null)) }
        if seen.contains(.object) { return .structure(fields) }
        if seen.contains(.float) || integers.contains(.huge) { return .float64 }
        if seen.contains(.integer) {
            if !integers.contains(.large) { return .int64 }
            return integers.contains(.negative) ? .float64 : .uint64
        }
        return .null
    }

    /// Fields of the members of all objects seen.
    var fields: [ArrowField] {
        zip(names, members).map { ArrowField(String(decoding: $0, as: UTF8.self), $1.type) }
    }
}
