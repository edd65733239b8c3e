import LancerEncoding
import Synchronization

/// Search structures of pages (chunk words, repetition indexes, dictionaries) kept between reads, up to a byte limit.
final class PageCache: Sendable {
    private struct State {
        var pages: [[(any PreparedPage)?]]
        var bytes = 0
    }

    private let state: Mutex<State>
    private let byteLimit: Int

    init(_ pagesPerColumn: [Int], byteLimit: Int) {
        state = Mutex(State(pages: pagesPerColumn.map { Array(repeating: nil, count: $0) }))
        self.byteLimit = byteLimit
    }

    func page(_ column: Int, _ page: Int) -> (any PreparedPage)? {
        state.withLock { $0.pages[column][page] }
    }

    func store(_ prepared: any PreparedPage, _ column: Int, _ page: Int) {
        let size = prepared.sizeInBytes
        state.withLock { state in
            if let old = state.pages[column][page] { state.bytes -= old.sizeInBytes }
            if state.bytes + size > byteLimit {
                // Forgetting all is crude but cheap: what is in use is prepared again by the next read.
                for index in state.pages.indices {
                    state.pages[index] = Array(repeating: nil, count: state.pages[index].count)
                }
                state.bytes = 0
            }
            state.pages[column][page] = prepared
            state.bytes += size
        }
    }
}
