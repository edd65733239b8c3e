import LancerArrow
import LancerBytes

/// Repetition and definition levels of one leaf column over the rows of one page.
///
/// Level 0 is the innermost "all is well"; entries whose definition level is above
/// ``maxVisibleDefinition`` (null and empty lists, and what lies under them) have no slot among the values.
/// Spec: 02-levels.md, "Definition levels".
package struct LeafLevels: Sendable {
    /// What each layer of nesting needs in this page, innermost first.
    package var layers: [RepDefLayer]
    /// Number of lists that start at each entry; nil without list layers.
    package var repetition: [UInt16]?
    /// Which layer is null or empty at each entry, 0 for none; nil when none is anywhere.
    package var definition: [UInt16]?
    /// Number of entries.
    package var count: Int
    /// Entries with a slot among the values.
    package var visibleCount: Int
    /// Top-level rows.
    package var rowCount: Int

    /// The repetition level of an entry that starts a row.
    package var maxRepetition: Int { layers.maxRepetition }
    /// The highest definition level in use.
    package var maxDefinition: Int { layers.maxDefinition }
    /// The highest definition level of an entry that has a slot.
    package var maxVisibleDefinition: Int { layers.maxVisibleDefinition }
    /// Whether some entries have no slot.
    package var hasInvisible: Bool { visibleCount != count }

    /// Validity of the value slots: clear where the leaf or a struct around it is null. Nil when all are valid.
    package func slotValidity() -> Bitmap? {
        guard let definition, layers.maxVisibleDefinition > 0 else { return nil }
        if !hasInvisible { return Bitmap(Self.zeroBits(of: definition), count: definition.count) }
        let highest = UInt16(layers.maxVisibleDefinition)
        let buffer = ArrowBuffer(count: (visibleCount + 7) / 8) { bytes in
            var byte: UInt8 = 0
            var slot = 0
            for level in definition where level <= highest {
                if level == 0 { byte |= 1 << UInt8(truncatingIfNeeded: slot & 7) }
                slot += 1
                if slot & 7 == 0 {
                    bytes[(slot >> 3) - 1] = byte
                    byte = 0
                }
            }
            if slot & 7 != 0 { bytes[slot >> 3] = byte }
        }
        return Bitmap(buffer, count: visibleCount)
    }

    /// A bit for each level, set where it is 0.
    ///
    /// Four levels at a time in one word: adding 0x7FFF carries into the top bit of every level but 0 (levels are below
    /// 0x8000), and a multiplication brings the four bits together. 1M levels take 0.4 ms instead of 2.
    private static func zeroBits(of levels: [UInt16]) -> ArrowBuffer {
        ArrowBuffer(count: (levels.count + 7) / 8) { bytes in
            levels.withUnsafeBytes { levels in
                let count = levels.count / 2
                func nonzero(_ first: Int) -> UInt64 {
                    let word = UInt64(littleEndian: levels.loadUnaligned(fromByteOffset: first &* 2, as: UInt64.self))
                    let top = (word &+ 0x7FFF_7FFF_7FFF_7FFF) & 0x8000_8000_8000_8000
                    return (((top &>> 15) &* 0x0001_0002_0004_0008) &>> 48) & 15
                }
                for byte in 0..<(count / 8) {
                    let first = byte &* 8
                    bytes[byte] = ~UInt8(truncatingIfNeeded: nonzero(first) | nonzero(first &+ 4) &<< 4)
                }
                guard count % 8 > 0 else { return }
                var last: UInt8 = 0
                for slot in (count / 8 * 8)..<count
                where levels.loadUnaligned(fromByteOffset: slot * 2, as: UInt16.self) == 0 {
                    last |= 1 << UInt8(truncatingIfNeeded: slot & 7)
                }
                bytes[count / 8] = last
            }
        }
    }
}
