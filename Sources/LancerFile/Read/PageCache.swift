import LancerEncoding
import Synchronization

/// A byte limit shared by the page caches of many files.
///
/// When it is passed all of them are emptied. That is crude but cheap: what is in use is prepared again by the next
/// read, and memory stays bounded whatever the number of open files.
package final class PageCacheBudget: Sendable {
    private struct WeakCache: Sendable {
        weak var cache: PageCache?
    }

    private let caches = Mutex<[WeakCache]>([])
    // Not behind the lock: a cache that ends while the list is looked through gives its bytes back here.
    private let bytes = Atomic(0)
    private let byteLimit: Int

    /// A budget of `byteLimit` bytes.
    package init(byteLimit: Int) { self.byteLimit = byteLimit }

    fileprivate func add(_ cache: PageCache) {
        caches.withLock { caches in
            if caches.count % 64 == 63 { caches.removeAll { $0.cache == nil } }
            caches.append(WeakCache(cache: cache))
        }
    }

    /// Counts bytes in or out.
    fileprivate func count(_ change: Int) { bytes.wrappingAdd(change, ordering: .relaxed) }

    /// Empties all caches if they hold too much.
    fileprivate func enforce() {
        guard bytes.load(ordering: .relaxed) > byteLimit else { return }
        for cache in caches.withLock({ $0.compactMap(\.cache) }) { cache.empty() }
    }
}

/// Search structures of pages (chunk words, repetition indexes, dictionaries) kept between reads, within a budget.
final class PageCache: Sendable {
    private struct State {
        var pages: [[(any PreparedPage)?]]
        var bytes = 0
    }

    private let state: Mutex<State>
    let budget: PageCacheBudget

    init(_ pagesPerColumn: [Int], budget: PageCacheBudget) {
        state = Mutex(State(pages: pagesPerColumn.map { Array(repeating: nil, count: $0) }))
        self.budget = budget
        budget.add(self)
    }

    deinit { budget.count(-state.withLock { $0.bytes }) }

    func page(_ column: Int, _ page: Int) -> (any PreparedPage)? {
        state.withLock { $0.pages[column][page] }
    }

    func store(_ prepared: any PreparedPage, _ column: Int, _ page: Int) {
        let size = prepared.sizeInBytes
        let added = state.withLock { state in
            let change = size - (state.pages[column][page]?.sizeInBytes ?? 0)
            state.pages[column][page] = prepared
            state.bytes += change
            return change
        }
        budget.count(added)
        budget.enforce()
    }

    fileprivate func empty() {
        let freed = state.withLock { state in
            defer { state.bytes = 0 }
            for index in state.pages.indices {
                state.pages[index] = Array(repeating: nil, count: state.pages[index].count)
            }
            return state.bytes
        }
        budget.count(-freed)
    }
}
