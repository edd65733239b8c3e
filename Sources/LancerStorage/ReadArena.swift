import LancerBytes

/// Memory shared by the many small reads of one call: an allocation each would cost more than some of the reads.
///
/// Only for reads so small that a caller who keeps one of them alive does not hold on to much more.
struct ReadArena {
    /// Room for one read.
    struct Place {
        let storage: BufferStorage
        /// Where in `storage` the read starts.
        let offset: Int
        /// The bytes to write, all of them.
        let target: UnsafeMutableRawBufferPointer
    }

    private static let largest = 256 << 10
    private static let longestRead = 16 << 10

    private let capacity: Int
    private var storage: BufferStorage?
    private var used = 0

    /// An arena for the small ones of some reads.
    init(for reads: [RangeCoalescer.Read]) {
        var total = 0
        for read in reads where read.bytes.upperBound - read.bytes.lowerBound <= UInt64(Self.longestRead) {
            total += Int(read.bytes.upperBound - read.bytes.lowerBound) + 2 * BufferStorage.alignment
            if total >= Self.largest { break }
        }
        capacity = Swift.min(total, Self.largest)
    }

    /// Room for bytes of a file, at the same alignment to 64 bytes as in the file; nil when they are too many.
    mutating func place(for bytes: Range<UInt64>) -> Place? {
        guard bytes.upperBound - bytes.lowerBound <= UInt64(Self.longestRead) else { return nil }
        let count = Int(bytes.upperBound - bytes.lowerBound)
        let alignment = BufferStorage.alignment
        var offset = used + Int(bytes.lowerBound % UInt64(alignment))
        if storage == nil || offset + count > capacity {
            storage = BufferStorage(capacity: capacity)
            offset = Int(bytes.lowerBound % UInt64(alignment))
        }
        guard let storage else { return nil }
        used = (offset + count + alignment - 1) / alignment * alignment
        let target = UnsafeMutableRawBufferPointer(start: storage.base + offset, count: count)
        return Place(storage: storage, offset: offset, target: target)
    }
}
