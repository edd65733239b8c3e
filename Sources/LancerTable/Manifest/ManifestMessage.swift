import Dispatch
import LancerBytes
import LancerProto
import LancerStorage
import SwiftProtobuf
import Synchronization

/// The Manifest message in two parts: the fragments, of which there may be many, as bytes, and all the rest.
///
/// Spec: 10-table.md, "Manifest".
struct ManifestMessage {
    /// The message without its fragments, with the fields Lancer does not know.
    let rest: Lance_Table_Manifest
    private let bytes: ArrowBuffer
    private let fragmentRanges: [Range<Int>]

    private static let fragmentField: UInt64 = 2

    /// - Throws: `corrupt`.
    init(_ bytes: ArrowBuffer) throws(LanceError) {
        var ranges: [Range<Int>] = []
        var others = BufferBuilder()
        let base = bytes.start.assumingMemoryBound(to: UInt8.self)
        defer { withExtendedLifetime(bytes) {} }
        var reader = WireReader(base, 0..<bytes.count)
        do throws(LanceError) {
            while !reader.isAtEnd {
                let start = reader.offset
                if case (Self.fragmentField, .bytes(let range)) = try reader.next() {
                    ranges.append(range)
                } else {
                    others.append(UnsafeRawBufferPointer(start: base + start, count: reader.offset - start))
                }
            }
        } catch {
            throw .corrupt("the manifest message cannot be decoded", offset: UInt64(reader.offset))
        }
        rest = try others.finish().decoded(as: Lance_Table_Manifest.self, "manifest")
        self.bytes = bytes
        fragmentRanges = ranges
    }

    /// The fragments.
    ///
    /// - Throws: `corrupt`, `unsupported`.
    func fragments() throws(LanceError) -> [Fragment] {
        let count = fragmentRanges.count
        let parts = Swift.min(count / Self.fragmentsPerThread, Machine.coreCount)
        if parts < 2 { return try fragments(0..<count) }
        let results = Mutex([Result<[Fragment], LanceError>?](repeating: nil, count: parts))
        DispatchQueue.concurrentPerform(iterations: parts) { part in
            let own = (count * part / parts)..<(count * (part + 1) / parts)
            let result = Result { () throws(LanceError) in try fragments(own) }
            results.withLock { $0[part] = result }
        }
        var all: [Fragment] = []
        all.reserveCapacity(count)
        for result in results.withLock({ $0 }) { all += try result?.get() ?? [] }
        return all
    }

    /// Fragments that are worth a thread: each takes less than a microsecond.
    private static let fragmentsPerThread = 1000

    private func fragments(_ numbers: Range<Int>) throws(LanceError) -> [Fragment] {
        guard let first = numbers.first, let last = numbers.last else { return [] }
        // Bytes of their own: fragments keep theirs alive, and threads that count references to the same memory wait for
        // each other.
        let start = fragmentRanges[first].lowerBound
        let own = bytes.slice(start..<fragmentRanges[last].upperBound).withUnsafeBytes { ArrowBuffer(copying: $0) }
        defer { withExtendedLifetime(own) {} }
        var parser = FragmentParser(own)
        var result: [Fragment] = []
        result.reserveCapacity(numbers.count)
        for number in numbers {
            let range = fragmentRanges[number]
            let place = (range.lowerBound - start)..<(range.upperBound - start)
            result.append(try Fragment(own, at: place, &parser))
        }
        return result
    }

    /// The message of `rest` with `fragments`, fields in the order of their numbers.
    ///
    /// - Throws: `limitExceeded` when the message is too large for protobuf.
    static func encode(_ rest: Lance_Table_Manifest, _ fragments: [Fragment]) throws(LanceError) -> ArrowBuffer {
        var rest = rest
        let schema = Lance_Table_Manifest.with { $0.fields = rest.fields }
        rest.fields = []
        var builder = BufferBuilder()
        builder.append(contentsOf: try ArrowBuffer(encoding: schema, "manifest"))
        for fragment in fragments {
            let bytes = try fragment.encoded()
            builder.append(UInt8(fragmentField << 3 | 2))
            var length = UInt64(bytes.count)
            while length >= 0x80 {
                builder.append(UInt8(truncatingIfNeeded: length) | 0x80)
                length >>= 7
            }
            builder.append(UInt8(length))
            builder.append(contentsOf: bytes)
        }
        builder.append(contentsOf: try ArrowBuffer(encoding: rest, "manifest"))
        // What protobuf allows in one message.
        guard builder.count <= Int(Int32.max) else {
            throw .limitExceeded("a manifest of \(builder.count) bytes is too long")
        }
        return builder.finish()
    }
}
