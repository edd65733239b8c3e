import Dispatch
import LancerBytes
import Synchronization

/// Work on columns side by side.
enum Parallel {
    /// Results of `body` for 0..<count, in that order.
    ///
    /// - Throws: what `body` throws for the lowest number.
    static func map<T: Sendable>(
        _ count: Int,
        isParallel: Bool,
        _ body: @escaping @Sendable (Int) throws(LanceError) -> T
    ) throws(LanceError) -> [T] {
        if !isParallel || count < 2 {
            var results: [T] = []
            for index in 0..<count { results.append(try body(index)) }
            return results
        }
        let results = Mutex<[Result<T, LanceError>?]>([Result<T, LanceError>?](repeating: nil, count: count))
        DispatchQueue.concurrentPerform(iterations: count) { index in
            let result: Result<T, LanceError>
            do throws(LanceError) {
                result = .success(try body(index))
            } catch {
                result = .failure(error)
            }
            results.withLock { $0[index] = result }
        }
        var values: [T] = []
        for result in results.withLock({ $0 }) {
            guard let result else { throw .corrupt("a column was passed over") }
            values.append(try result.get())
        }
        return values
    }
}
