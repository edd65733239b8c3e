import LancerArrow
import LancerBytes

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Finds the distinct values of a page, as long as there are few.
///
/// Null slots take the index of the value before them, so that they neither add an item nor break a run.
struct DictionaryBuilder {
    /// Index of each slot's item.
    private(set) var indices: [UInt32] = []
    /// A slot that has each item.
    private(set) var firstSlots: [Int] = []
    /// Bytes of all items.
    private(set) var itemBytes = 0

    /// Most items of any dictionary.
    private static let maxItems = 1 << 20
    private let maxItems: Int
    /// Slots after which most values having been new means that the rest will be, too.
    private static let trialSlots = 4096

    /// The dictionary of the values, or nil when it would have more than `maxItems` items.
    init?(_ values: VariableValues, validity: Bitmap?, maxItems: Int) {
        self.init(maxItems: maxItems)
        guard
            values.offsets.withUnsafeBufferPointer({ fill(Strings(offsets: $0), values.count, values.data, validity) })
        else { return nil }
    }

    /// The dictionary of the values, or nil when it would have more than `maxItems` items.
    init?(_ values: FixedValues, validity: Bitmap?, maxItems: Int) {
        self.init(maxItems: maxItems)
        if values.width == 8 {
            guard self.maxItems > 0, values.count <= Int(UInt32.max) else { return nil }
            let bits = validity?.compacted().buffer
            defer { withExtendedLifetime((bits, values.bytes)) {} }
            let distinct = DistinctWords(
                values.bytes.start,
                count: values.count,
                validity: bits?.start,
                maxItems: self.maxItems,
                trialSlots: Self.trialSlots
            )
            guard let distinct else { return nil }
            (indices, firstSlots) = (distinct.indices, distinct.firstSlots)
            itemBytes = distinct.firstSlots.count * 8
            return
        }
        guard fill(Words(width: values.width), values.count, values.bytes, validity) else { return nil }
    }

    private init(maxItems: Int) { self.maxItems = Swift.min(maxItems, Self.maxItems) }

    /// Looks all values up; false when there are too many different ones, or none.
    private mutating func fill<Places: ValuePlaces>(
        _ places: Places,
        _ count: Int,
        _ data: ArrowBuffer,
        _ validity: Bitmap?
    ) -> Bool {
        guard maxItems > 0, count <= Int(UInt32.max) else { return false }
        indices.reserveCapacity(count)
        // Open addressing; a slot of the table holds item + 1 and some bits of its hash.
        var capacity = 1024
        var table = [UInt64](repeating: 0, count: capacity)
        var tooMany = false
        var previous: UInt32 = 0
        let bits = validity?.compacted().buffer
        data.withUnsafeBytes { data in
            guard let base = data.baseAddress else { return }
            for slot in 0..<count {
                if let bits, !bits.bit(slot) {
                    indices.append(previous)
                    continue
                }
                let start = places.start(slot)
                let length = places.length(slot)
                let hash = Self.hash(base + start, length)
                let tag = hash & 0xFFFF_FFFF_0000_0000
                var place = Int(truncatingIfNeeded: hash & UInt64(capacity - 1))
                while true {
                    let entry = table[place]
                    if entry == 0 {
                        firstSlots.append(slot)
                        itemBytes += length
                        table[place] = tag | UInt64(firstSlots.count)
                        previous = UInt32(truncatingIfNeeded: firstSlots.count - 1)
                        break
                    }
                    if entry & 0xFFFF_FFFF_0000_0000 == tag {
                        let item = Int(truncatingIfNeeded: entry & 0xFFFF_FFFF) - 1
                        let other = firstSlots[item]
                        if places.length(other) == length,
                            Self.areEqual(base + places.start(other), base + start, length)
                        {
                            previous = UInt32(truncatingIfNeeded: item)
                            break
                        }
                    }
                    place = (place + 1) & (capacity - 1)
                }
                indices.append(previous)
                let items = firstSlots.count
                if items > maxItems || (slot & (Self.trialSlots - 1) == Self.trialSlots - 1 && items > slot / 8 * 7) {
                    tooMany = true
                    return
                }
                if items * 2 > capacity {
                    capacity *= 4
                    table = [UInt64](repeating: 0, count: capacity)
                    for (item, first) in firstSlots.enumerated() {
                        let hash = Self.hash(base + places.start(first), places.length(first))
                        var place = Int(truncatingIfNeeded: hash & UInt64(capacity - 1))
                        while table[place] != 0 { place = (place + 1) & (capacity - 1) }
                        table[place] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(item + 1)
                    }
                }
            }
        }
        return !tooMany && !firstSlots.isEmpty
    }

    @inline(__always)
    private static func areEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
        if count == 8 { return left.loadUnaligned(as: UInt64.self) == right.loadUnaligned(as: UInt64.self) }
        return memcmp(left, right, count) == 0
    }

    /// A hash whose low and high halves are both well mixed.
    @inline(__always)
    private static func hash(_ bytes: UnsafeRawPointer, _ count: Int) -> UInt64 {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: count)
        var at = 0
        while at &+ 8 <= count {
            state = mix(state ^ bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            at &+= 8
        }
        if at < count {
            var tail: UInt64 = 0
            if count >= 8 {
                tail = bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            } else {
                while at < count {
                    tail = tail &<< 8 | UInt64(bytes.load(fromByteOffset: at, as: UInt8.self))
                    at &+= 1
                }
            }
            state = mix(state ^ tail)
        }
        return mix(state)
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return product.high ^ product.low
    }

    /// The indices as values to compress.
    var indexValues: FixedValues { FixedValues(ArrowBuffer(indices), width: 4, count: indices.count) }

    /// The items, in order.
    func items(of values: VariableValues) -> VariableValues {
        var data = BufferBuilder(capacity: itemBytes)
        var offsets = [0]
        for slot in firstSlots {
            data.append(contentsOf: values.data.slice(values.offsets[slot]..<values.offsets[slot + 1]))
            offsets.append(data.count)
        }
        return VariableValues(offsets: offsets, data: data.finish(), offsetBits: values.offsetBits)
    }

    /// The items, in order.
    func items(of values: FixedValues) -> FixedValues {
        var data = BufferBuilder(capacity: itemBytes)
        for slot in firstSlots {
            data.append(contentsOf: values.bytes.slice((slot * values.width)..<((slot + 1) * values.width)))
        }
        return FixedValues(data.finish(), width: values.width, count: firstSlots.count)
    }
}

/// Where the bytes of each value are.
private protocol ValuePlaces {
    func start(_ slot: Int) -> Int
    func length(_ slot: Int) -> Int
}

private struct Strings: ValuePlaces {
    let offsets: UnsafeBufferPointer<Int>

    @inline(__always)
    func start(_ slot: Int) -> Int { offsets[slot] }
    @inline(__always)
    func length(_ slot: Int) -> Int { offsets[slot &+ 1] &- offsets[slot] }
}

private struct Words: ValuePlaces {
    let width: Int

    @inline(__always)
    func start(_ slot: Int) -> Int { slot &* width }
    @inline(__always)
    func length(_ slot: Int) -> Int { width }
}

extension ArrowBuffer {
    /// Bit `index`, least significant bit of each byte first.
    @inline(__always)
    fileprivate func bit(_ index: Int) -> Bool {
        withUnsafeBytes { $0[index >> 3] >> UInt8(truncatingIfNeeded: index & 7) & 1 == 1 }
    }
}
