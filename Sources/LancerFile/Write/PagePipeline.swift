import Dispatch
import LancerBytes
import LancerEncoding
import Synchronization

extension FileAssembler {
    /// Encodes jobs on all cores and writes their pages in the jobs' order, while later ones are still being encoded.
    ///
    /// There is no thread for writing: whoever has encoded a page writes what is complete, unless another does so just
    /// then. What that other one missed is written at the end.
    ///
    /// - Throws: the error of the first job that failed, or of the sink; no page behind it is written.
    mutating func write(
        _ jobs: [PageAccumulator.Page],
        parallel: Bool,
        encode: @Sendable (PageAccumulator.Page) throws(LanceError) -> [EncodedPage]
    ) throws(LanceError) {
        guard parallel, jobs.count > 1 else {
            for job in jobs { try write(try encode(job), of: job) }
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
                let result = Result { () throws(LanceError) in try encode(jobs[index]) }
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

    private mutating func write(_ pages: [EncodedPage], of job: PageAccumulator.Page) throws(LanceError) {
        var row = job.firstRow
        for page in pages {
            try writePage(page, column: job.column, firstRow: row)
            row += page.rowCount
        }
    }
}
