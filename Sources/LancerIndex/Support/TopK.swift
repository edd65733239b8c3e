/// The k nearest of the rows offered, in bounded memory.
///
/// Order: smaller distance first; at the same distance the smaller row id. −0.0 and 0.0 are the same distance; NaN is never kept.
package struct TopK: Sendable {
    /// A row and its distance.
    package struct Hit: Sendable, Equatable {
        package var distance: Float
        package var row: UInt64
        /// Where the row's vector is, as its finder says.
        package var place: UInt64

        /// Makes a hit.
        package init(distance: Float, row: UInt64, place: UInt64 = 0) {
            self.distance = distance
            self.row = row
            self.place = place
        }

        /// The same row at the same distance.
        package static func == (left: Hit, right: Hit) -> Bool {
            left.distance == right.distance && left.row == right.row
        }

        @inlinable
        package static func isNearer(_ a: Hit, _ b: Hit) -> Bool {
            a.distance < b.distance || (a.distance == b.distance && a.row < b.row)
        }
    }

    /// How many rows are kept at most.
    package private(set) var limit: Int
    /// A heap with the farthest hit first.
    private var heap: [Hit] = []

    /// Keeps the `limit` nearest rows.
    package init(limit: Int) {
        self.limit = max(limit, 0)
        heap.reserveCapacity(min(self.limit, 4096))
    }

    /// Forgets all rows and keeps the `limit` nearest from now on.
    package mutating func reset(limit: Int) {
        self.limit = max(limit, 0)
        heap.removeAll(keepingCapacity: true)
    }

    /// Number of rows kept.
    package var count: Int { heap.count }

    /// Rows farther than this are not wanted; rows as far are, if their id is small enough.
    package var threshold: Float { heap.count < limit ? .infinity : heap.first?.distance ?? -.infinity }

    /// Offers a row.
    package mutating func insert(distance: Float, row: UInt64, place: UInt64 = 0) {
        let hit = Hit(distance: distance, row: row, place: place)
        if heap.count < limit {
            guard distance == distance else { return }
            heap.append(hit)
            siftUp(heap.count - 1)
        } else if let worst = heap.first, Hit.isNearer(hit, worst) {
            heap[0] = hit
            siftDown(0)
        }
    }

    /// Offers everything another search found.
    package mutating func merge(_ other: TopK) {
        for hit in other.heap { insert(distance: hit.distance, row: hit.row, place: hit.place) }
    }

    /// Forgets all rows.
    package mutating func removeAll() { heap.removeAll(keepingCapacity: true) }

    /// The distance of the `rank`-th farthest row that is kept (1 for the farthest of all), for small ranks.
    func farthest(_ rank: Int) -> Float {
        var far: [Float] = []
        for hit in heap where far.count < rank || hit.distance > far[far.count - 1] {
            let place = far.firstIndex { $0 < hit.distance } ?? far.count
            far.insert(hit.distance, at: place)
            if far.count > rank { far.removeLast() }
        }
        return far.last ?? -.infinity
    }

    /// What was kept, in no order.
    package var unordered: [Hit] { heap }

    /// What was kept, nearest first.
    package func sorted() -> [Hit] { heap.sorted(by: Hit.isNearer) }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard Hit.isNearer(heap[parent], heap[child]) else { break }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var child = 2 * parent + 1
            if child >= heap.count { break }
            if child + 1 < heap.count, Hit.isNearer(heap[child], heap[child + 1]) { child += 1 }
            guard Hit.isNearer(heap[parent], heap[child]) else { break }
            heap.swapAt(parent, child)
            parent = child
        }
    }
}
