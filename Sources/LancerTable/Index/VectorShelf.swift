import LancerBytes
import LancerIndex
import Synchronization

/// Vectors that searches compared exactly, packed as their column stores them, up to a limit of bytes; the slabs filled first go
/// first. Safe to share.
///
/// A search with a refine factor wants the vectors of some ten or hundred rows, anywhere in the data files, and the next search
/// often wants some of the same: a vector in memory is compared in a fraction of the time that reading it takes. What is kept
/// was read, and compared with checksums, as any rows are. Data files never change: rows are known by them and their place.
package final class VectorShelf: CacheTenant {
    /// The vectors of a column in a fragment, by the files that hold them.
    package struct Key: Hashable {
        package var fragment: UInt64
        package var fieldID: Int32
        package var files: [DataFile]

        package init(fragment: UInt64, fieldID: Int32, files: [DataFile]) {
            self.fragment = fragment
            self.fieldID = fieldID
            self.files = files
        }

        // The files almost never differ for a fragment: comparing them suffices.
        package func hash(into hasher: inout Hasher) {
            hasher.combine(fragment)
            hasher.combine(fieldID)
        }
    }

    /// Vectors in one piece of memory. What was written is never written again.
    fileprivate final class Slab: @unchecked Sendable {
        let bytes: UnsafeMutableRawPointer
        let byteCount: Int
        /// Rows whose vectors are here, in their order.
        fileprivate var rows: [UInt32] = []

        fileprivate init(byteCount: Int) {
            bytes = .allocate(byteCount: byteCount, alignment: 64)
            self.byteCount = byteCount
        }

        deinit { bytes.deallocate() }
    }

    /// Where vectors of a fragment were found; keeps their memory.
    package struct Found {
        fileprivate var slabs: [Slab?] = []
        fileprivate var slots: [UInt32] = []
        fileprivate var slabRows = 1
        fileprivate var width = 0

        /// What is known of one of the rows asked for.
        package enum Vector {
            case unknown
            /// The row has no vector.
            case null
            case bytes(UnsafeRawPointer)
        }

        /// What is known of the row of an index; a pointer is good as long as this is.
        package subscript(index: Int) -> Vector {
            let slot = slots[index]
            if slot == VectorShelf.unknown { return .unknown }
            if slot == VectorShelf.null { return .null }
            let (slab, row) = Int(slot).quotientAndRemainder(dividingBy: slabRows)
            guard let slab = slabs[slab] else { return .unknown }
            return .bytes(UnsafeRawPointer(slab.bytes) + row * width)
        }
    }

    /// The rows of a fragment: for each, the number of its vector in the slabs.
    private final class Group {
        let width: Int
        let slabRows: Int
        /// Blocks of slots, made when one of their rows is kept.
        var blocks: [[UInt32]]
        var slabs: [Slab?] = []
        /// Slabs that are there, and the number of the one that is being filled.
        var kept = 0
        var current: Int?

        init(rowCount: Int, width: Int) {
            self.width = width
            slabRows = Swift.min(rowCount, Swift.max(1, VectorShelf.slabBytes / width))
            blocks = Array(repeating: [], count: (rowCount + VectorShelf.blockRows - 1) / VectorShelf.blockRows)
        }

        var byteCount: Int { blocks.count * 8 + blocks.reduce(0) { $0 + $1.count * 4 } }
    }

    private struct State {
        var groups: [Key: Group] = [:]
        /// Slabs in the order they were begun.
        var order: [(key: Key, slab: Int)] = []
        var bytes = 0
    }

    private static let slabBytes = 256 << 10
    private static let blockRows = 1024
    fileprivate static let unknown = UInt32.max
    fileprivate static let null = UInt32.max - 1
    private let state = Mutex(State())

    /// An empty shelf.
    package init() {}

    /// Bytes that are kept now.
    package var byteCount: Int { state.withLock { $0.bytes } }

    /// What is known of some rows of a fragment.
    ///
    /// - Parameter offset: The row of an index in 0..<count.
    package func find(_ key: Key, count: Int, offset: (Int) -> Int) -> Found {
        var found = Found()
        state.withLock { state in
            guard let group = state.groups[key] else {
                found.slots = Array(repeating: Self.unknown, count: count)
                return
            }
            found.slabs = group.slabs
            found.slabRows = group.slabRows
            found.width = group.width
            let blocks = group.blocks
            found.slots = Array(unsafeUninitializedCapacity: count) { slots, filled in
                for index in 0..<count {
                    let (block, row) = offset(index).quotientAndRemainder(dividingBy: Self.blockRows)
                    let isKnown = block < blocks.count && !blocks[block].isEmpty
                    slots.initializeElement(at: index, to: isKnown ? blocks[block][row] : Self.unknown)
                }
                filled = count
            }
        }
        return found
    }

    /// Keeps vectors of a fragment's rows, as far as the limit allows.
    ///
    /// - Parameters:
    ///   - rowCount: Rows of the fragment.
    ///   - width: Bytes of a vector.
    ///   - offsets: The rows.
    ///   - vector: The vector of one of them, by its place in `offsets`; nil where there is none.
    ///   - limit: Bytes that may be kept now.
    package func keep(
        _ key: Key,
        rowCount: Int,
        width: Int,
        offsets: [Int],
        limit: Int,
        vector: (Int) -> UnsafeRawPointer?
    ) {
        guard width > 0, rowCount > 0, rowCount < Int(UInt32.max) / 2 else { return }
        state.withLock { state in
            let group: Group
            if let old = state.groups[key] {
                group = old
            } else {
                group = Group(rowCount: rowCount, width: width)
                guard group.byteCount + group.slabRows * width <= limit / 8 else { return }
                state.groups[key] = group
                state.bytes += group.byteCount
            }
            for (place, offset) in offsets.enumerated() where offset < rowCount {
                if state.bytes > limit { break }
                let (block, row) = offset.quotientAndRemainder(dividingBy: Self.blockRows)
                if group.blocks[block].isEmpty {
                    group.blocks[block] = Array(repeating: Self.unknown, count: Self.blockRows)
                    state.bytes += Self.blockRows * 4
                }
                guard group.blocks[block][row] == Self.unknown else { continue }
                guard let bytes = vector(place) else {
                    group.blocks[block][row] = Self.null
                    continue
                }
                let (number, slab) = Self.room(in: group, key, &state)
                (slab.bytes + slab.rows.count * width).copyMemory(from: bytes, byteCount: width)
                group.blocks[block][row] = UInt32(number * group.slabRows + slab.rows.count)
                slab.rows.append(UInt32(offset))
            }
            Self.shrink(&state, to: limit)
        }
    }

    package func shrink(to byteCount: Int) { state.withLock { Self.shrink(&$0, to: byteCount) } }

    /// A slab with room for one more vector.
    private static func room(in group: Group, _ key: Key, _ state: inout State) -> (number: Int, slab: Slab) {
        if let number = group.current, let slab = group.slabs[number], slab.rows.count < group.slabRows {
            return (number, slab)
        }
        let slab = Slab(byteCount: group.slabRows * group.width)
        state.bytes += slab.byteCount
        let number = group.slabs.firstIndex { $0 == nil } ?? group.slabs.count
        if number < group.slabs.count { group.slabs[number] = slab } else { group.slabs.append(slab) }
        group.current = number
        group.kept += 1
        state.order.append((key, number))
        return (number, slab)
    }

    private static func shrink(_ state: inout State, to limit: Int) {
        guard state.bytes > limit else { return }
        // Some more than is needed, so that the next ones find room.
        let target = limit - limit / 8
        var dropped = 0
        for (key, number) in state.order {
            if state.bytes <= target { break }
            dropped += 1
            guard let group = state.groups[key], let slab = group.slabs[number] else { continue }
            for row in slab.rows { group.blocks[Int(row) / blockRows][Int(row) % blockRows] = unknown }
            group.slabs[number] = nil
            if group.current == number { group.current = nil }
            group.kept -= 1
            state.bytes -= slab.byteCount
            if group.kept == 0 {
                state.groups[key] = nil
                state.bytes -= group.byteCount
            }
        }
        state.order.removeFirst(dropped)
        if state.order.isEmpty, state.bytes > target {
            // What is left are rows known to have no vector.
            state.groups = [:]
            state.bytes = 0
        }
    }
}
