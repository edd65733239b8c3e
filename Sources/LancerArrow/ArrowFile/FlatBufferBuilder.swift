import LancerBytes

/// Makes a FlatBuffers message.
///
/// A message is made from its end to its start, so that everything referred to exists before what refers to it: the
/// bytes are kept in reverse and turned round by ``finish(root:)``. A ``Reference`` is a distance from the end.
/// Spec: FlatBuffers, "Internals"; see ``FlatTable`` for the layout.
package struct FlatBufferBuilder {
    /// A string, vector or table made before.
    package struct Reference {
        fileprivate let distanceFromEnd: Int
    }

    /// What a table has in a slot.
    package enum Field {
        /// An integer or enum of 1, 2, 4 or 8 bytes.
        case number(any FixedWidthInteger)
        /// A boolean, one byte.
        case flag(Bool)
        /// A string, vector or table.
        case reference(Reference)
    }

    private var reversed: [UInt8] = []

    /// An empty builder.
    package init() {}

    private mutating func align(to alignment: Int, before size: Int = 0) {
        while (reversed.count + size) % alignment != 0 { reversed.append(0) }
    }

    private mutating func put(_ value: some FixedWidthInteger) {
        let width = value.bitWidth
        for byte in stride(from: width - 8, through: 0, by: -8) {
            reversed.append(UInt8(truncatingIfNeeded: value >> byte))
        }
    }

    private mutating func put(_ reference: Reference) {
        align(to: 4)
        put(UInt32(reversed.count + 4 - reference.distanceFromEnd))
    }

    /// Adds a string.
    package mutating func text(_ text: String) -> Reference {
        align(to: 4, before: text.utf8.count + 1)
        reversed.append(0)
        reversed.append(contentsOf: text.utf8.reversed())
        put(UInt32(text.utf8.count))
        return Reference(distanceFromEnd: reversed.count)
    }

    /// Adds a vector of references.
    package mutating func vector(_ elements: [Reference]) -> Reference {
        align(to: 4)
        for element in elements.reversed() { put(element) }
        put(UInt32(elements.count))
        return Reference(distanceFromEnd: reversed.count)
    }

    /// Adds a vector of structs that consist of `width` 64-bit numbers each.
    package mutating func vector(ofInt64 numbers: [Int64], width: Int) -> Reference {
        align(to: 8)
        for number in numbers.reversed() { put(number) }
        put(UInt32(numbers.count / width))
        return Reference(distanceFromEnd: reversed.count)
    }

    /// Adds a table with the fields given by slot; slots left out keep their default.
    package mutating func table(_ fields: [(slot: Int, field: Field)]) -> Reference {
        let end = reversed.count
        let slots = (fields.map(\.slot).max() ?? -1) + 1
        var places = [Int](repeating: 0, count: slots)
        for (slot, field) in fields {
            switch field {
            case .number(let value):
                align(to: value.bitWidth / 8)
                put(value)
            case .flag(let flag): put(UInt8(flag ? 1 : 0))
            case .reference(let reference): put(reference)
            }
            places[slot] = reversed.count
        }
        align(to: 4)
        put(Int32(0))
        let table = reversed.count
        for place in places.reversed() { put(UInt16(place == 0 ? 0 : table - place)) }
        put(UInt16(table - end))
        put(UInt16(4 + 2 * slots))
        // The distance back to the vtable, now that it is known: the reversed bytes start with the highest.
        let distance = Int32(reversed.count - table)
        for byte in 0..<4 { reversed[table - 1 - byte] = UInt8(truncatingIfNeeded: distance >> (8 * Int32(byte))) }
        return Reference(distanceFromEnd: table)
    }

    /// The message with `root` as its root table; a multiple of 8 bytes.
    package consuming func finish(root: Reference) -> ArrowBuffer {
        align(to: 8, before: 4)
        put(root)
        return ArrowBuffer(Array(reversed.reversed()))
    }
}
