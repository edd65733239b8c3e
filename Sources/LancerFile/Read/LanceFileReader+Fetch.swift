import LancerBytes
import LancerEncoding

/// What the parts of some reads asked for, in one piece: single rows of many columns and pages cost no arrays each.
struct FetchedBytes {
    private let ranges: [PageRange]
    private let buffers: [ArrowBuffer]
    /// Number of ranges up to the end of each part.
    private let ends: [Int]

    /// No part asked for anything.
    static var none: FetchedBytes { FetchedBytes([], [], ends: []) }

    init(_ ranges: [PageRange], _ buffers: [ArrowBuffer], ends: [Int]) {
        self.ranges = ranges
        self.buffers = buffers
        self.ends = ends
    }

    /// What a part asked for.
    subscript(part: Int) -> PageData {
        if ends.isEmpty { return .none }
        return PageData(ranges, buffers, own: (part == 0 ? 0 : ends[part - 1])..<ends[part])
    }
}

extension LanceFileReader {
    /// Makes sure that the search structures of all pages touched are in the reads, and in the cache.
    func prepare(_ reads: [LeafRead]) async throws {
        if pageCache.look(up: reads) { return }
        var missing: [(read: LeafRead, part: Int, pending: PendingPage)] = []
        var ranges: [Range<UInt64>] = []
        for read in reads {
            for part in read.parts.indices where read.parts[part].prepared == nil {
                let pending = try PendingPage(read, read.parts[part].page, self)
                ranges += pending.ranges
                missing.append((read, part, pending))
            }
        }
        let buffers = ranges.isEmpty ? [] : try await source.read(ranges)
        var next = 0
        for item in missing {
            let own = Array(buffers[next..<(next + item.pending.ranges.count)])
            next += own.count
            let page = try item.pending.prepare(own)
            item.read.parts[item.part].prepared = page
            pageCache.store(page, item.read.column, item.read.parts[item.part].page)
        }
    }

    /// Reads the index entries that some pages need before they can say where their rows are.
    func readIndexes(_ reads: [LeafRead]) async throws -> FetchedBytes {
        var plan: [PageRange] = []
        var ends: [Int] = []
        var wanted: [Range<UInt64>] = []
        for read in reads {
            for part in read.parts.indices {
                let own = read.parts[part].prepared?.indexRanges(read.rows(part)) ?? []
                plan += own
                wanted.append(contentsOf: fileRanges(own[...], read, part))
                ends.append(plan.count)
            }
        }
        if wanted.isEmpty { return .none }
        return FetchedBytes(plan, try await source.read(wanted), ends: ends)
    }

    /// Reads what the rows of all parts need in one call; pages that are in memory are not read.
    ///
    /// - Parameter keepsPages: Whether pages that are read again and again stay in memory.
    func readData(_ reads: [LeafRead], _ indexes: FetchedBytes, keepsPages: Bool) async throws -> FetchedBytes {
        var plan: [PageRange] = []
        var ends: [Int] = []
        var wanted: [Range<UInt64>] = []
        var kept: [(read: LeafRead, part: Int, place: Int)] = []
        var inMemory = 0
        for read in reads {
            for part in read.parts.indices {
                defer { ends.append(plan.count) }
                guard let page = read.parts[part].prepared else { continue }
                if read.parts[part].data != nil, let all = page.keepable {
                    plan.append(all)
                    inMemory += 1
                    continue
                }
                let first = plan.count
                do throws(LanceError) {
                    try page.plan(read.rows(part), index: indexes[ends.count], into: &plan)
                } catch {
                    throw read.located(error, part)
                }
                if keepsPages, let all = page.keepable {
                    let bytes = plan[first...].reduce(0) { $0 + $1.bytes.count }
                    if pageCache.earns(bytes, of: all.bytes.count, read.column, read.parts[part].page) {
                        plan.removeSubrange(first...)
                        kept.append((read, part, wanted.count))
                        plan.append(all)
                    }
                }
                wanted.append(contentsOf: fileRanges(plan[first...], read, part))
            }
        }
        var buffers = wanted.isEmpty ? [] : try await source.read(wanted)
        for page in kept {
            pageCache.keep(buffers[page.place], page.read.column, page.read.parts[page.part].page)
        }
        if inMemory > 0 { buffers = Self.merged(buffers, reads, ends) }
        return FetchedBytes(plan, buffers, ends: ends)
    }

    /// Where bytes of a part's page lie in the file.
    private func fileRanges(
        _ ranges: ArraySlice<PageRange>,
        _ read: LeafRead,
        _ part: Int
    ) -> some Sequence<Range<UInt64>> {
        let buffers = columns[read.column].pages[read.parts[part].page].buffers
        return ranges.lazy.map { range in
            let start = buffers[range.buffer].lowerBound
            return (start + UInt64(range.bytes.lowerBound))..<(start + UInt64(range.bytes.upperBound))
        }
    }

    /// What was read, with the pages that are in memory between it.
    private static func merged(_ fetched: [ArrowBuffer], _ reads: [LeafRead], _ ends: [Int]) -> [ArrowBuffer] {
        var result: [ArrowBuffer] = []
        result.reserveCapacity(ends.last ?? 0)
        var next = 0
        var part = 0
        for read in reads {
            for own in read.parts {
                let count = ends[part] - result.count
                if let data = own.data, count == 1 {
                    result.append(data)
                } else {
                    result.append(contentsOf: fetched[next..<(next + count)])
                    next += count
                }
                part += 1
            }
        }
        return result
    }
}
