import Dispatch
import LancerArrow
import LancerBytes
import LancerEncoding
import Synchronization

/// Rows that become pages, encoded where and when there is time.
final class PageJob: Sendable {
    let column: Int
    let firstRow: Int
    /// Arrow memory of the rows.
    let sizeInBytes: Int
    private let encoder: PageEncoder
    private let state: Mutex<State>
    private let isDone = DispatchGroup()

    private struct State {
        /// The rows; nil once somebody encodes them.
        var arrays: [ArrowArray]?
        var result: Result<[EncodedPage], LanceError>?
    }

    init(_ page: PageAccumulator.Page, encoder: PageEncoder) {
        column = page.column
        firstRow = page.firstRow
        sizeInBytes = page.sizeInBytes
        self.encoder = encoder
        state = Mutex(State(arrays: page.arrays))
        isDone.enter()
    }

    /// Begins to encode on another thread.
    func start() { DispatchQueue.global().async { [self] in encode() } }

    /// The pages, encoded here unless somebody else does that already.
    func result() -> Result<[EncodedPage], LanceError> {
        encode()
        isDone.wait()
        return state.withLock { $0.result.take() } ?? .failure(.invalidArgument("a page was asked for twice"))
    }

    private func encode() {
        guard let arrays = state.withLock({ $0.arrays.take() }) else { return }
        let result = Result { () throws(LanceError) in try encoder.pages(arrays) }
        state.withLock { $0.result = result }
        isDone.leave()
    }
}

extension FileAssembler {
    /// Encodes jobs on all cores and writes their pages in the jobs' order, while later ones are still being encoded.
    ///
    /// There is no thread for writing: whoever has encoded a page writes what is complete, unless another does so just
    /// then. What that other one missed is written at the end.
    ///
    /// - Throws: the error of the first job that failed, or of the sink; no page behind it is written.
    mutating func write(
        _ jobs: [PageJob],
        parallel: Bool
    ) throws(LanceError) {
        guard parallel, jobs.count > 1 else {
            for job in jobs { try write(try job.result().get(), of: job) }
            return
        }
        let encoded = Mutex([Result<[EncodedPage], LanceError>?](repeating: nil, count: jobs.count))
        let writing = Mutex(Progress())
        // The assembler is used under the lock of `writing` only.
        try withUnsafeMutablePointer(to: &self) { (file) throws(LanceError) in
            nonisolated(unsafe) let file = file
            @Sendable func writeCompleted(_ progress: inout sending Progress) {
                while progress.failure == nil, progress.next < jobs.count,
                    let result = encoded.withLock({ $0[progress.next].take() })
                {
                    do throws(LanceError) {
                        try file.pointee.write(try result.get(), of: jobs[progress.next])
                        progress.next += 1
                    } catch {
                        progress.failure = error
                    }
                }
            }
            DispatchQueue.concurrentPerform(iterations: jobs.count) { index in
                let result = jobs[index].result()
                encoded.withLock { $0[index] = result }
                _ = writing.withLockIfAvailable { writeCompleted(&$0) }
            }
            let failure = writing.withLock { progress in
                writeCompleted(&progress)
                return progress.failure
            }
            if let failure { throw failure }
        }
    }

    private struct Progress {
        /// The job whose pages are to be written next.
        var next = 0
        var failure: LanceError?
    }

    private mutating func write(_ pages: [EncodedPage], of job: PageJob) throws(LanceError) {
        var row = job.firstRow
        for page in pages {
            try writePage(page, column: job.column, firstRow: row)
            row += page.rowCount
        }
    }
}
