import LancerBytes

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A local file opened for reading with `pread`.
///
/// Not mapped into memory: a file cut short under a map ends the process, here it is an error.
package final class LocalObject: StoredObject {
    package let path: String
    package let size: UInt64
    private let key: UInt64
    private let coalescer = RangeCoalescer.local

    /// Opens the file at a full path.
    ///
    /// - Throws: `notFound`, `io`.
    package init(path: String) throws(LanceError) {
        let descriptor = Descriptor(try SystemCall.open(path, O_RDONLY, action: "open"))
        self.path = path
        self.size = try SystemCall.size(descriptor.number, path)
        self.key = DescriptorCache.shared.makeKey()
        DescriptorCache.shared.keep(descriptor, key)
    }

    deinit { DescriptorCache.shared.forget(key) }

    private func descriptor() throws(LanceError) -> Descriptor {
        if let kept = DescriptorCache.shared.descriptor(key) { return kept }
        let opened = Descriptor(try SystemCall.open(path, O_RDONLY, action: "open"))
        DescriptorCache.shared.keep(opened, key)
        return opened
    }

    package func read(_ ranges: [Range<UInt64>]) async throws(LanceError) -> [ArrowBuffer] { try readNow(ranges) }

    /// ``read(_:)`` for callers that are not asynchronous.
    package func readNow(_ ranges: [Range<UInt64>]) throws(LanceError) -> [ArrowBuffer] {
        for range in ranges where range.upperBound > size {
            throw .truncated("bytes \(range) are wanted, the file has \(size)").located(file: path)
        }
        let descriptor = try descriptor()
        defer { withExtendedLifetime(descriptor) {} }
        if ranges.count == 1 { return [try readOne(ranges[0], descriptor)] }
        var results = [ArrowBuffer](repeating: .empty, count: ranges.count)
        let plan = coalescer.plan(for: ranges)
        var arena = ReadArena(for: plan.reads)
        for read in plan.reads {
            if let place = arena.place(for: read.bytes) {
                try SystemCall.read(descriptor.number, path, offset: read.bytes.lowerBound, into: place.target)
                for member in plan.order[read.members] {
                    let start = place.offset + Int(ranges[member].lowerBound - read.bytes.lowerBound)
                    results[member] = ArrowBuffer(storage: place.storage, offset: start, count: ranges[member].count)
                }
                continue
            }
            if read.members.count == 1 {
                results[plan.order[read.members.lowerBound]] = try readOne(read.bytes, descriptor)
                continue
            }
            // The memory keeps the file's alignment, so that a part that is 64-byte aligned on disk is so in memory.
            let lead = Int(read.bytes.lowerBound % 64)
            let bytes = Int(read.bytes.upperBound - read.bytes.lowerBound)
            let buffer = try ArrowBuffer(count: lead + bytes) { (target) throws(LanceError) in
                try SystemCall.read(
                    descriptor.number,
                    path,
                    offset: read.bytes.lowerBound,
                    into: UnsafeMutableRawBufferPointer(rebasing: target[lead...])
                )
            }
            for member in plan.order[read.members] {
                let start = lead + Int(ranges[member].lowerBound - read.bytes.lowerBound)
                results[member] = buffer.slice(start..<(start + ranges[member].count))
            }
        }
        return results
    }

    package func read(
        _ range: Range<UInt64>,
        step: Int,
        _ look: (_ offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(LanceError) -> Void
    ) async throws(LanceError) -> ArrowBuffer {
        guard range.upperBound <= size, let count = Int(exactly: range.upperBound - range.lowerBound), step > 0 else {
            throw .truncated("bytes \(range) are wanted, the file has \(size)").located(file: path)
        }
        let descriptor = try descriptor()
        defer { withExtendedLifetime(descriptor) {} }
        return try ArrowBuffer(count: count) { (target) throws(LanceError) in
            var done = 0
            while done < count {
                let offset = range.lowerBound + UInt64(done)
                let length = Swift.min(step - Int(offset % UInt64(step)), count - done)
                let part = UnsafeMutableRawBufferPointer(rebasing: target[done..<(done + length)])
                try SystemCall.read(descriptor.number, path, offset: offset, into: part)
                try look(offset, UnsafeRawBufferPointer(part))
                done += length
            }
        }
    }

    private func readOne(_ range: Range<UInt64>, _ descriptor: Descriptor) throws(LanceError) -> ArrowBuffer {
        guard let count = Int(exactly: range.upperBound - range.lowerBound) else {
            throw .limitExceeded("\(range) is more than memory can hold").located(file: path)
        }
        return try ArrowBuffer(count: count) { (target) throws(LanceError) in
            try SystemCall.read(descriptor.number, path, offset: range.lowerBound, into: target)
        }
    }
}
