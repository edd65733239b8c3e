import LancerBytes
import Synchronization

/// Something else that is kept in the memory of a ``PartitionCache``, as far as partitions leave it.
package protocol CacheTenant: AnyObject, Sendable {
    /// Gives up what is over so many bytes.
    func shrink(to byteCount: Int)
}

/// Partitions in memory, decoded, up to a limit of bytes; those not used for longest go first. Safe to share.
package final class PartitionCache: Sendable {
    private struct Key: Hashable {
        var segment: UInt64
        var partition: Int
    }

    private struct State {
        var partitions: [Key: (partition: DecodedPartition, used: UInt64)] = [:]
        var bytes = 0
        var clock: UInt64 = 0
        var segments: UInt64 = 0
    }

    /// Bytes that may be kept.
    package let byteLimit: Int
    private let state = Mutex(State())
    private let tenant: (any CacheTenant)?

    /// An empty cache.
    ///
    /// - Parameter tenant: told to shrink when partitions need the room.
    package init(byteLimit: Int, tenant: (any CacheTenant)? = nil) {
        self.byteLimit = byteLimit
        self.tenant = tenant
    }

    /// Bytes of the limit that partitions do not use.
    package var spareByteCount: Int { max(0, byteLimit - byteCount) }

    /// Bytes that are kept now.
    package var byteCount: Int { state.withLock { $0.bytes } }

    /// A number for one more segment.
    func newSegment() -> UInt64 {
        state.withLock { state in
            state.segments += 1
            return state.segments
        }
    }

    /// What is kept of some partitions.
    func partitions(_ numbers: [Int], of segment: UInt64) -> [DecodedPartition?] {
        state.withLock { state in
            state.clock += 1
            let clock = state.clock
            return numbers.map { number in
                let key = Key(segment: segment, partition: number)
                guard let index = state.partitions.index(forKey: key) else { return nil }
                state.partitions.values[index].used = clock
                return state.partitions.values[index].partition
            }
        }
    }

    /// Keeps a partition, unless it alone is over the limit.
    func store(_ partition: DecodedPartition, _ number: Int, of segment: UInt64) {
        guard partition.byteCount <= byteLimit else { return }
        keep(partition, number, segment)
        tenant?.shrink(to: spareByteCount)
    }

    private func keep(_ partition: DecodedPartition, _ number: Int, _ segment: UInt64) {
        state.withLock { state in
            state.clock += 1
            let key = Key(segment: segment, partition: number)
            if let old = state.partitions.updateValue((partition, state.clock), forKey: key) {
                state.bytes -= old.partition.byteCount
            }
            state.bytes += partition.byteCount
            guard state.bytes > byteLimit else { return }
            // Some more than is needed, so that the next ones find room without a sort.
            let target = byteLimit - byteLimit / 8
            for (key, entry) in state.partitions.sorted(by: { $0.value.used < $1.value.used }) {
                if state.bytes <= target { break }
                if entry.partition === partition { continue }
                state.partitions[key] = nil
                state.bytes -= entry.partition.byteCount
            }
        }
    }

    /// Forgets a segment's partitions.
    func forget(_ segment: UInt64) {
        state.withLock { state in
            for (key, entry) in state.partitions where key.segment == segment {
                state.partitions[key] = nil
                state.bytes -= entry.partition.byteCount
            }
        }
    }
}
