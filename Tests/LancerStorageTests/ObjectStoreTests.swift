import LancerBytes
import LancerStorage
import LancerTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

@Suite("Object stores")
struct ObjectStoreTests {
    /// Both kinds of store, and the directory that must outlive the local one.
    private static func stores() -> [(store: any ObjectStore, keep: TemporaryDirectory?)] {
        let durable = TemporaryDirectory()
        let fast = TemporaryDirectory()
        return [
            (LocalStore(root: durable.path), durable),
            (LocalStore(root: fast.path + "/deep/er", durable: false), fast),
            (MemoryStore(), nil),
        ]
    }

    private static func bytes(_ count: Int, seed: UInt64 = 1) -> ArrowBuffer {
        var random = SplitMix64(seed: seed)
        return ArrowBuffer((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }

    @Test("an object that is put is read back, replaced and removed")
    func putAndRead() async throws {
        for (store, keep) in Self.stores() {
            let first = Self.bytes(100)
            let second = Self.bytes(3 << 20)
            try await store.put("a/b/one", first)
            #expect(try await store.read("a/b/one").bytes == first.bytes)
            try await store.put("a/b/one", second)
            #expect(try await store.read("a/b/one").bytes == second.bytes)
            #expect(try await store.list("a/b") == ["one"])
            #expect(try await store.list("nowhere").isEmpty)
            try await store.delete("a/b/one")
            try await store.delete("a/b/one")
            let isThere = try await store.exists("a/b/one")
            #expect(!isThere)
            await #expect(throws: LanceError(.notFound, "")) { try await store.read("a/b/one") }
            await #expect(throws: LanceError(.notFound, "")) { try await store.open("a/b/one") }
            withExtendedLifetime(keep) {}
        }
    }

    @Test("ranges come back in the order asked; 64-byte aligned parts of a file stay aligned")
    func ranges() async throws {
        for (store, keep) in Self.stores() {
            let content = Self.bytes(200_000)
            try await store.put("f", content)
            let object = try await store.open("f")
            #expect(object.size == 200_000)
            let ranges: [Range<UInt64>] = [
                128..<256, 0..<64, 199_999..<200_000, 70..<70, 64..<128, 0..<200_000, 100_096..<100_200,
            ]
            let parts = try await object.read(ranges)
            for (range, part) in zip(ranges, parts) {
                #expect(part.bytes == Array(content.bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
                if range.lowerBound % 64 == 0, store is LocalStore {
                    #expect(part.withUnsafeBytes { Int(bitPattern: $0.baseAddress) % 64 } == 0)
                }
            }
            #expect(try await object.read([]).isEmpty)
            await #expect(throws: LanceError(.truncated, "")) { try await object.read([199_999..<200_001]) }
            await #expect(throws: LanceError(.truncated, "")) { try await object.read([0..<1, (.max - 1)..<(.max)]) }
            withExtendedLifetime(keep) {}
        }
    }

    @Test("of many that put if absent exactly one succeeds")
    func putIfAbsent() async throws {
        for (store, keep) in Self.stores() {
            let winners = await withTaskGroup(of: Int?.self) { group in
                for index in 0..<16 {
                    group.addTask {
                        do {
                            try await store.putIfAbsent("v/1", ArrowBuffer([UInt8(index)]))
                            return index
                        } catch {
                            #expect(error as? LanceError == LanceError(.alreadyExists, ""))
                            return nil
                        }
                    }
                }
                return await group.reduce(into: [Int]()) { if let winner = $1 { $0.append(winner) } }
            }
            #expect(winners.count == 1)
            #expect(try await store.read("v/1").bytes.map(Int.init) == winners)
            #expect(try await store.list("v") == ["1"])
            withExtendedLifetime(keep) {}
        }
    }

    @Test("an object written piece by piece appears when it is finished, not before")
    func sinks() async throws {
        for (store, keep) in Self.stores() {
            var expected: [UInt8] = []
            var sink = try store.create("data/x")
            for size in [1, 100, 700_000, 700_000, 2_000_000, 0, 5] {
                let piece = Self.bytes(size, seed: UInt64(size))
                try sink.write(piece)
                expected += piece.bytes
            }
            #expect(sink.count == UInt64(expected.count))
            var isThere = try await store.exists("data/x")
            #expect(!isThere)
            try sink.finish()
            #expect(try await store.read("data/x").bytes == expected)
            var second = try store.create("data/y")
            try second.write(Self.bytes(10))
            second.cancel()
            isThere = try await store.exists("data/y")
            #expect(!isThere)
            #expect(try await store.list("data") == ["x"])
            withExtendedLifetime(keep) {}
        }
    }

    @Test("an object larger than asked for is refused")
    func limits() async throws {
        for (store, keep) in Self.stores() {
            try await store.put("f", Self.bytes(11))
            #expect(try await store.read("f", limit: 11).count == 11)
            await #expect(throws: LanceError(.limitExceeded, "")) { try await store.read("f", limit: 10) }
            withExtendedLifetime(keep) {}
        }
    }

    @Test("the system's refusals name the path and the reason")
    func refusals() async throws {
        let directory = TemporaryDirectory()
        let store = LocalStore(root: directory.path)
        try await store.put("file", Self.bytes(1))
        mkdir(directory.path + "/folder", 0o700)
        for path in ["file/below", "folder"] {
            do {
                try await store.put(path, Self.bytes(1))
                Issue.record("putting \(path) succeeded")
            } catch {
                #expect(error.code == .io || error.code == .notFound)
                #expect(error.location.file?.hasPrefix(directory.path) == true)
                #expect(error.message.contains("irectory"))
            }
        }
        await #expect(throws: LanceError(.io, "")) { try await store.read("folder") }
        #expect(directory.files() == ["file"])
    }

    @Test("more files than descriptors are kept can be read in turn")
    func manyFiles() async throws {
        let directory = TemporaryDirectory()
        let store = LocalStore(root: directory.path, durable: false)
        var objects: [any StoredObject] = []
        for index in 0..<400 {
            try await store.put("\(index)", ArrowBuffer([UInt8(index % 251)]))
            objects.append(try await store.open("\(index)"))
        }
        for _ in 0..<3 {
            for (index, object) in objects.enumerated() {
                #expect(try await object.read([0..<1])[0].bytes == [UInt8(index % 251)])
            }
        }
    }

    @Test("a file that was cut short after it was opened is truncated, not a crash")
    func cutShort() async throws {
        let directory = TemporaryDirectory()
        let store = LocalStore(root: directory.path)
        try await store.put("f", Self.bytes(1000))
        let object = try await store.open("f")
        #expect(truncate(directory.path + "/f", 10) == 0)
        await #expect(throws: LanceError(.truncated, "")) { try await object.read([0..<1000]) }
    }

    @Test("paths and URLs of local tables")
    func paths() throws {
        #expect(try LocalPath.parse("a/b c") == "a/b c")
        #expect(try LocalPath.parse("file:///a/b%20c%") == "/a/b c%")
        #expect(try LocalPath.parse("file://localhost/x") == "/x")
        #expect(try LocalPath.parse("we:ird/x") == "we:ird/x")
        for text in ["s3://b/t", "https://h/t", "file://host/x"] {
            #expect(throws: LanceError(.unsupported, "")) { try LocalPath.parse(text) }
        }
        for text in ["", "a\0b"] {
            #expect(throws: LanceError(.invalidArgument, "")) { try LocalPath.parse(text) }
        }
    }
}
