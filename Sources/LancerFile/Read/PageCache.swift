import LancerBytes
import LancerEncoding
import Synchronization

/// Byte limits shared by the page caches of many files.
///
/// When one is passed all caches drop what counts against it. That is crude but cheap: what is in use is prepared again
/// by the next read, and memory stays bounded whatever the number of open files.
package final class PageCacheBudget: Sendable {
    private struct WeakCache: Sendable {
        weak var cache: PageCache?
    }

    private let caches = Mutex<[WeakCache]>([])
    // Not behind the lock: a cache that ends while the list is looked through gives its bytes back here.
    private let bytes = Atomic(0)
    private let dataBytes = Atomic(0)
    private let byteLimit: Int
    private let dataByteLimit: Int

    /// A budget.
    ///
    /// - Parameters:
    ///   - byteLimit: For search structures.
    ///   - dataByteLimit: For pages kept whole; none are when it is 0.
    package init(byteLimit: Int, dataByteLimit: Int = 0) {
        self.byteLimit = byteLimit
        self.dataByteLimit = dataByteLimit
    }

    /// 64 MiB of search structures, 128 MiB of pages.
    package static var standard: PageCacheBudget { PageCacheBudget(byteLimit: 64 << 20, dataByteLimit: 128 << 20) }

    /// Whether a page of `count` bytes may be kept at all.
    func allows(_ count: Int) -> Bool { count <= dataByteLimit / 4 }

    fileprivate func add(_ cache: PageCache) {
        caches.withLock { caches in
            if caches.count % 64 == 63 { caches.removeAll { $0.cache == nil } }
            caches.append(WeakCache(cache: cache))
        }
    }

    /// Counts bytes in or out.
    fileprivate func count(_ change: Int, data: Int) {
        bytes.wrappingAdd(change, ordering: .relaxed)
        dataBytes.wrappingAdd(data, ordering: .relaxed)
    }

    /// Empties all caches that hold too much.
    fileprivate func enforce() {
        if bytes.load(ordering: .relaxed) > byteLimit {
            for cache in caches.withLock({ $0.compactMap(\.cache) }) { cache.empty() }
        }
        if dataBytes.load(ordering: .relaxed) > dataByteLimit {
            for cache in caches.withLock({ $0.compactMap(\.cache) }) { cache.dropData() }
        }
    }
}

/// What is kept of a file's pages between reads, within a budget: search structures (chunk words, repetition indexes,
/// dictionaries), and all chunks of pages that takes come back to.
///
/// A page is kept whole once takes have read ``earningShare`` of its bytes from it: whatever is dropped and read again,
/// no more than a few times the bytes needed are ever read. A take from such a page is a look into memory.
final class PageCache: Sendable {
    private struct Entry {
        var prepared: (any PreparedPage)?
        /// All bytes of the page that ``PreparedPage/keepable`` names.
        var data: ArrowBuffer?
        /// Bytes that takes have read while ``data`` was not there.
        var read = 0
    }

    private struct State {
        var pages: [[Entry]]
        /// Pages of each column whose data are here.
        var keptPages: [Int]
        var bytes = 0
        var dataBytes = 0
    }

    /// A page is kept when takes have read one part in so many of it.
    private static let earningShare = 2

    private let state: Mutex<State>
    let budget: PageCacheBudget

    init(_ pagesPerColumn: [Int], budget: PageCacheBudget) {
        state = Mutex(
            State(
                pages: pagesPerColumn.map { Array(repeating: Entry(), count: $0) },
                keptPages: Array(repeating: 0, count: pagesPerColumn.count)
            )
        )
        self.budget = budget
        budget.add(self)
    }

    deinit {
        let (bytes, data) = state.withLock { ($0.bytes, $0.dataBytes) }
        budget.count(-bytes, data: -data)
    }

    /// Gives the reads what is here of their pages: search structures and, if kept, bytes.
    ///
    /// - Returns: Whether all search structures were here.
    func look(up reads: [LeafRead]) -> Bool {
        state.withLock { state in
            var isComplete = true
            for read in reads {
                for part in read.parts.indices {
                    let entry = state.pages[read.column][read.parts[part].page]
                    read.parts[part].prepared = entry.prepared
                    read.parts[part].data = entry.data
                    if entry.prepared == nil { isComplete = false }
                }
            }
            return isComplete
        }
    }

    func store(_ prepared: any PreparedPage, _ column: Int, _ page: Int) {
        let size = prepared.sizeInBytes
        let added = state.withLock { state in
            let change = size - (state.pages[column][page].prepared?.sizeInBytes ?? 0)
            state.pages[column][page].prepared = prepared
            state.bytes += change
            return change
        }
        budget.count(added, data: 0)
        budget.enforce()
    }

    /// Counts `count` bytes that a take is going to read from a page whose keepable bytes are `total`; true when it
    /// should read all of them and hand them to ``keep(_:_:_:)``.
    func earns(_ count: Int, of total: Int, _ column: Int, _ page: Int) -> Bool {
        guard budget.allows(total) else { return false }
        return state.withLock { state in
            state.pages[column][page].read += count
            guard state.pages[column][page].read >= total / Self.earningShare else { return false }
            state.pages[column][page].read = 0
            return true
        }
    }

    /// Keeps all bytes of a page.
    func keep(_ data: ArrowBuffer, _ column: Int, _ page: Int) {
        // Read together with others, it would keep their memory alive, too.
        let isAlone = data.storage.capacity <= data.count + data.count / 8 + 4096
        let data = isAlone ? data : data.withUnsafeBytes { ArrowBuffer(copying: $0) }
        let added = state.withLock { state in
            if state.pages[column][page].data != nil { return 0 }
            state.pages[column][page].data = data
            state.keptPages[column] += 1
            state.dataBytes += data.count
            return data.count
        }
        budget.count(0, data: added)
        budget.enforce()
    }

    /// Whether all pages of these columns are kept.
    func keepsAll(of columns: [Int]) -> Bool {
        state.withLock { state in columns.allSatisfy { state.keptPages[$0] == state.pages[$0].count } }
    }

    fileprivate func empty() {
        let freed = state.withLock { state in
            defer { state.bytes = 0 }
            for column in state.pages.indices {
                for page in state.pages[column].indices { state.pages[column][page].prepared = nil }
            }
            return state.bytes
        }
        budget.count(-freed, data: 0)
    }

    fileprivate func dropData() {
        let freed = state.withLock { state in
            defer { state.dataBytes = 0 }
            for column in state.pages.indices {
                state.keptPages[column] = 0
                for page in state.pages[column].indices { state.pages[column][page].data = nil }
            }
            return state.dataBytes
        }
        budget.count(0, data: -freed)
    }
}
