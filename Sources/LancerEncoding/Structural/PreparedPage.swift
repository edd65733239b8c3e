import LancerArrow
import LancerBytes

/// Bytes of one of a page's buffers.
package struct PageRange: Sendable, Hashable {
    /// Which buffer of the page.
    package var buffer: Int
    /// Bytes inside that buffer.
    package var bytes: Range<Int>

    package init(_ buffer: Int, _ bytes: Range<Int>) {
        self.buffer = buffer
        self.bytes = bytes
    }
}

/// Bytes read for a plan, found again by where they lie in the page.
///
/// A part of what was read for many pages together: two arrays for each page would cost more than the page's rows when
/// single rows are taken.
package struct PageData: Sendable {
    private let ranges: [PageRange]
    private let buffers: [ArrowBuffer]
    private let own: Range<Int>

    /// Pairs a plan with what was read for it; each buffer must have its range's length.
    ///
    /// - Parameter own: Which of the ranges, ascending, are of the page.
    package init(_ ranges: [PageRange], _ buffers: [ArrowBuffer], own: Range<Int>) {
        precondition(ranges.count == buffers.count && own.lowerBound >= 0 && own.upperBound <= ranges.count)
        self.ranges = ranges
        self.buffers = buffers
        self.own = own
    }

    /// No bytes.
    package static var none: PageData { PageData([], [], own: 0..<0) }

    /// The bytes `range` of a page buffer.
    ///
    /// - Throws: `corrupt` when they were not planned: the page's indexes contradict each other.
    package func bytes(_ buffer: Int, _ range: Range<Int>) throws(LanceError) -> ArrowBuffer {
        let place = try place(buffer, range)
        return buffers[place.read].slice(place.offset..<(place.offset + range.count))
    }

    /// The same without keeping them alive: the pointer is good as long as these data are.
    package func pointer(_ buffer: Int, _ range: Range<Int>) throws(LanceError) -> UnsafeRawBufferPointer {
        let place = try place(buffer, range)
        return UnsafeRawBufferPointer(start: buffers[place.read].start + place.offset, count: range.count)
    }

    /// The same for ranges that are asked for in order; `hint`, 0 at first, says where the last one was found.
    package func pointer(
        _ buffer: Int,
        _ range: Range<Int>,
        near hint: inout Int
    ) throws(LanceError) -> UnsafeRawBufferPointer {
        let first = Swift.max(hint, own.lowerBound)
        for read in first..<Swift.max(first, Swift.min(first + 2, own.upperBound)) where holds(buffer, range, in: read)
        {
            hint = read
            let start = buffers[read].start + (range.lowerBound - ranges[read].bytes.lowerBound)
            return UnsafeRawBufferPointer(start: start, count: range.count)
        }
        let place = try place(buffer, range)
        hint = place.read
        return UnsafeRawBufferPointer(start: buffers[place.read].start + place.offset, count: range.count)
    }

    @inline(__always)
    private func holds(_ buffer: Int, _ range: Range<Int>, in read: Int) -> Bool {
        ranges[read].buffer == buffer && ranges[read].bytes.lowerBound <= range.lowerBound
            && ranges[read].bytes.upperBound >= range.upperBound
    }

    private func place(_ buffer: Int, _ range: Range<Int>) throws(LanceError) -> (read: Int, offset: Int) {
        var low = own.lowerBound
        var high = own.upperBound
        while low < high {
            let middle = (low + high) / 2
            let candidate = ranges[middle]
            if (candidate.buffer, candidate.bytes.upperBound) < (buffer, range.upperBound) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low < own.upperBound, holds(buffer, range, in: low) else {
            throw .corrupt("bytes \(range) of page buffer \(buffer) are needed but no index leads to them")
        }
        return (low, range.lowerBound - ranges[low].bytes.lowerBound)
    }
}

/// A page whose search structures (chunk words, repetition index, dictionary) are in memory: it knows which bytes rows
/// need and decodes them. Immutable, kept in a cache between reads.
///
/// Rows are numbered within the page; ranges are ascending and do not overlap.
package protocol PreparedPage: AnyObject, Sendable {
    /// Layers of the page, innermost first.
    var layers: [RepDefLayer] { get }
    /// Memory held, for the cache's limit.
    var sizeInBytes: Int { get }
    /// The bytes that ``plan(_:index:)`` chooses from, where it makes sense to keep all of them when many rows are taken;
    /// nil where each row's bytes stand alone.
    var keepable: PageRange? { get }
    /// Index entries to read before ``plan(_:index:)`` for these rows can be made; usually none.
    func indexRanges(_ rows: ArraySlice<Range<Int>>) -> [PageRange]
    /// Appends what to read for these rows, ascending.
    func plan(_ rows: ArraySlice<Range<Int>>, index: PageData, into plan: inout [PageRange]) throws(LanceError)
    /// Decodes rows, appending their levels and values.
    func decode(
        _ rows: ArraySlice<Range<Int>>,
        data: PageData,
        index: PageData,
        levels: LevelCollector,
        values: ValueAccumulator
    ) throws(LanceError)
}

extension PreparedPage {
    package var keepable: PageRange? { nil }
    package func indexRanges(_ rows: ArraySlice<Range<Int>>) -> [PageRange] { [] }
}

/// Sizes of a page's buffers and its number of rows, from the column metadata.
package struct PageShape: Sendable {
    /// Bytes of each page buffer.
    package var bufferSizes: [Int]
    /// Rows of this leaf column.
    package var rowCount: Int

    package init(bufferSizes: [Int], rowCount: Int) {
        self.bufferSizes = bufferSizes
        self.rowCount = rowCount
    }
}

extension [PageRange] {
    /// Appends bytes of a buffer that do not begin before the last ones of it; joined with these when they touch.
    ///
    /// - Parameter first: How many ranges were there before the first one of the page.
    mutating func join(_ buffer: Int, _ bytes: Range<Int>, from first: Int) {
        guard !bytes.isEmpty else { return }
        if count > first, self[count - 1].buffer == buffer, bytes.lowerBound <= self[count - 1].bytes.upperBound {
            let last = self[count - 1].bytes
            self[count - 1].bytes = last.lowerBound..<Swift.max(last.upperBound, bytes.upperBound)
        } else {
            append(PageRange(buffer, bytes))
        }
    }
}
