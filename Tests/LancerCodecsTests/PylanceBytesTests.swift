import LancerBytes
import LancerCodecs
import Testing

/// Bytes taken from the pages of files that pylance 14.0.2 wrote.
@Suite("Bytes written by pylance")
struct PylanceBytesTests {
    @Test("FastLanes blocks of every word type are reproduced")
    func fastLanes() {
        let squares = (0..<1024).map { $0 * $0 + 3 * $0 / 7 }
        #expect(packed(squares.map { UInt8($0 % 8) }, width: 3) == 0x1CA6_810A_F4BC_FF81)
        #expect(packed(squares.map { UInt16($0 % 32) }, width: 5) == 0xD1BA_38CB_89C6_A8E6)
        #expect(packed(squares.map { UInt32($0 % 8) }, width: 3) == 0x3BE0_C866_37E9_865B)
        let scattered = (0..<1024).map { UInt64($0 * 2_654_435_761 % (1 << 20)) }
        #expect(packed(scattered, width: 20) == 0xF1FF_7024_4BA7_EF71)
    }

    private func packed<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(_ values: [T], width: Int) -> UInt64 {
        var bytes = [UInt8](repeating: 0, count: FastLanes.packedByteCount(width: width))
        bytes.withUnsafeMutableBytes { room in
            if let base = room.baseAddress { FastLanes.pack(values, width: width, into: base) }
        }
        return checksum(bytes)
    }

    @Test("values compressed with FSST are read")
    func fsst() throws {
        var blob = hex(
            """
            250009015453534667610000000000006265000000000000616d000000000000616c0000000000006c700000000000006465
            000000000000656c0000000000002d610000000000002d6700000000000065746100000000006d6d61000000000070686100
            000000006c7461000000000062657461000000006c70686100000000656c746100000000616d6d612d0000002d6265746100
            0000616c7068612d000064656c74612d000067616d6d612d00002d64656c746100002d67616d6d612d002d616c7068612d00
            00000000000000002d0000000000000067000000000000006100000000000000620000000000000067000000000000006100
            000000000000620000000000000064000000000000006c00000000000000640000000000000065000000000000002d000000
            0000000002020202020202020203030303040404050506060606070701010101010101010101010101
            """
        )
        blob += [UInt8](repeating: 0, count: FSSTSymbolTable.serializedSize - blob.count)
        let table = try FSSTSymbolTable(blob: ArrowBuffer(blob))
        #expect(table.symbolCount == 37)
        let codes = hex("0d17000a 1213050c ff5affc3ffbcff72ff69ff63ff68ff2018ff21")
        let decoded = try table.decodeAll(
            offsets: ArrowBuffer([0, 4, 8, 27] as [UInt32]),
            of: UInt32.self,
            count: 3,
            data: ArrowBuffer(codes)
        )
        #expect(String(decoding: decoded.data.bytes, as: UTF8.self) == "beta-alpha-gammaalpha-delta-deltaZürich \u{0}!")
        #expect(decoded.offsets.withValues(of: UInt32.self) { Array($0) } == [0, 16, 33, 43])
    }

    @Test("zstd frames are read")
    func zstd() throws {
        let long = ArrowBuffer(hex("28b52ffd6010a3750000306c616e636520010007a4e8a508"))
        let text = Array(String(repeating: "lance ", count: 7000).utf8)
        #expect(try Zstd.decompress(long, uncompressedSize: 42_000).bytes == text)
        #expect(try Zstd.decompress(long, limit: 42_000).bytes == text)
        let short = ArrowBuffer(hex("28b52ffd200109000078"))
        #expect(try Zstd.decompress(short, uncompressedSize: 1).bytes == Array("x".utf8))
    }

    @Test("an LZ4 block of split bytes is read")
    func lz4() throws {
        let block = hex(
            """
            1f0001001e1f0101001e1f0201001e1f0301001e1f0401001e1f0501001e1f0601001e1f0701001e1f0801001e1f0901001e
            1f0a01001e1f0b01001e1f0c01001e1f0d01001e1f0e01001e1f0f01001e1f1001001e1f1101001e1f1201001e1f1301001e
            1f140100040fff031e0f0200ffffffffffffffffffffffc2500000000000
            """
        )
        let split = try LZ4Block.decompress(ArrowBuffer(block), uncompressedSize: 4096)
        let values = try ByteStreamSplit.decode(split, width: 4).withValues(of: UInt32.self) { Array($0) }
        let isRight = values == (0..<1024).map { UInt32($0 / 50) }
        #expect(isRight)
    }
}
