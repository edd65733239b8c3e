"""Every compressive encoding of spec/07-encodings.md, encoded by its words alone: the reference, Lancer and the reader of the
specification read it, whole and row by row."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import lance
import pytest

from lancer_cli import BINARY, environment

SPEC = Path(__file__).resolve().parents[2] / "spec"
sys.path.insert(0, str(SPEC / "writer"))

import lance_writer as writer  # noqa: E402

ROWS = 2500
NUMBERS = [i * 7919 % 1000 for i in range(ROWS)]
TEXTS = [f"the cat {i % 50} the end" for i in range(ROWS)]
ORDER = (0, 4, 2, 6, 1, 5, 3, 7)
Page = tuple[str, list, tuple[bytes, list[bytes]]]  # type of the column, values, layout and buffers


def message(name: str, **values) -> bytes:
    return writer.encode(writer.PAGE + name, **values)


def encoding(**kind) -> bytes:
    return message("CompressiveEncoding", **kind)


def layout(**kind) -> bytes:
    return message("PageLayout", **kind)


def general(scheme: int, inner: bytes) -> bytes:
    return encoding(general=message("General", compression=message("BufferCompression", scheme=scheme), values=inner))


def mini_block(version: str, values: bytes, count: int, chunks: list[list[bytes]], levels: bytes | None = None, others: tuple = (), **said):
    """A page of chunks of `count` values, given by their value buffers; `levels` are those of its only chunk."""
    word, words, data = {"2.1": "<H", "2.2": "<I"}[version], b"", b""
    for number, buffers in enumerate(chunks):
        head = struct.pack("<HH", ROWS, len(levels)) if levels else struct.pack("<H", 0)
        head += b"".join(struct.pack(word, len(buffer)) for buffer in buffers)
        body = b"".join(writer.padded(part, 8) for part in [head, *([levels] if levels else []), *buffers])
        words += struct.pack(word, (len(body) // 8 - 1) << 4 | (0 if number == len(chunks) - 1 else count.bit_length() - 1))
        data += body
    said |= {"has_large_chunk": 1} if version == "2.2" else {}
    layers = [writer.NULLABLE if levels else writer.ALL_VALID]
    page = message("MiniBlockLayout", value_compression=values, num_buffers=len(chunks[0]), num_items=ROWS, layers=layers, **said)
    return layout(mini_block_layout=page), [words, data, *others]


def cut(values: list, count: int) -> list[list]:
    return [values[first : first + count] for first in range(0, len(values), count)]


def int32s(values: list) -> bytes:
    return struct.pack(f"<{len(values)}i", *(value or 0 for value in values))


def packed(values: list[int], word_bits: int, width: int) -> bytes:
    """One block in FastLanes order."""
    values, lanes = values + [0] * (1024 - len(values)), 1024 // word_bits
    words = [0] * (lanes * width)
    for lane in range(lanes):
        number = sum(values[ORDER[row // 8] * 16 + row % 8 * 128 + lane] << (row * width) for row in range(word_bits))
        for k in range(width):
            words[k * lanes + lane] = number >> (k * word_bits) & ((1 << word_bits) - 1)
    return b"".join(word.to_bytes(word_bits // 8, "little") for word in words)


def inline_blocks(values: list[int]) -> list[list[bytes]]:
    return [[struct.pack("<I", max(part).bit_length()) + packed(part, 32, max(part).bit_length())] for part in cut(values, 1024)]


INLINE_32 = encoding(inline_bitpacking=message("InlineBitpacking", uncompressed_bits_per_value=32))


def lz4(data: bytes) -> bytes:
    """Literals only."""
    left, token = len(data) - 15, bytes([min(len(data), 15) << 4])
    more = b"" if left < 0 else b"\xff" * (left // 255) + bytes([left % 255])
    return struct.pack("<I", len(data)) + token + more + data


def zstd(data: bytes) -> bytes:
    """A frame of raw blocks, RFC 8878."""
    frame, parts = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(data)), cut(list(data), 65536)
    for number, part in enumerate(parts):
        frame += (len(part) << 3 | (number == len(parts) - 1)).to_bytes(3, "little") + bytes(part)
    return struct.pack("<Q", len(data)) + frame


def text_chunk(values: list[bytes]) -> bytes:
    ends = [4 * (len(values) + 1)]
    for value in values:
        ends.append(ends[-1] + len(value))
    return writer.padded(struct.pack(f"<{len(ends)}I", *ends) + b"".join(values), 4)


def inline_bitpacking(version: str) -> Page:
    return "int32", NUMBERS, mini_block(version, INLINE_32, 1024, inline_blocks(NUMBERS))


def runs(version: str) -> Page:
    values, found = [i // 300 for i in range(ROWS)], []
    for value in values:
        if found and found[-1][0] == value and found[-1][1] < 255:
            found[-1][1] += 1
        else:
            found.append([value, 1])
    buffers = [int32s([value for value, _ in found]), bytes(length for _, length in found)]
    rle = encoding(rle=message("Rle", values=writer.flat(32), run_lengths=writer.flat(8)))
    return "int32", values, mini_block(version, rle, 0, [buffers])


def byte_streams(version: str, scheme: int = 0) -> Page:
    split = encoding(byte_stream_split=message("ByteStreamSplit", values=writer.flat(32)))
    streams = [b"".join(int32s(part)[byte::4] for byte in range(4)) for part in cut(NUMBERS, 512)]
    compress = (bytes, lz4, zstd)[scheme]
    return "int32", NUMBERS, mini_block(version, general(scheme, split) if scheme else split, 512, [[compress(each)] for each in streams])


def symbols(version: str) -> Page:
    table = [b"the ", b"cat ", b"end", b" "]
    blob = struct.pack("<Q", 0x46535354 << 32 | 1 << 24 | len(table)) + b"".join(symbol.ljust(8, b"\0") for symbol in table)
    blob = (blob + bytes(map(len, table))).ljust(2312, b"\0")

    def codes(text: bytes) -> bytes:
        out = b""
        while text:
            code = next((i for i, symbol in enumerate(table) if text.startswith(symbol)), None)
            out += bytes([255, text[0]]) if code is None else bytes([code])
            text = text[1 if code is None else len(table[code]) :]
        return out

    fsst = encoding(fsst=message("Fsst", symbol_table=blob, values=writer.variable()))
    return "string", TEXTS, mini_block(version, fsst, 64, [[text_chunk([codes(text.encode()) for text in part])] for part in cut(TEXTS, 64)])


def levels_out_of_line(version: str) -> Page:
    levels = [int(i % 11 == 0) for i in range(ROWS)]
    *blocks, tail = cut(levels, 1024)
    data = b"".join(packed(block, 16, 1) for block in blocks)
    data += packed(tail, 16, 1) if 1024 < len(tail) * 16 else struct.pack(f"<{len(tail)}H", *tail)
    packing = encoding(out_of_line_bitpacking=message("OutOfLineBitpacking", uncompressed_bits_per_value=16, values=writer.flat(1)))
    values = [None if level else value for level, value in zip(levels, NUMBERS)]
    return "int32", values, mini_block(version, writer.flat(32), 0, [[int32s(NUMBERS)]], data, def_compression=packing)


def dictionary(version: str) -> Page:
    items = sorted(set(TEXTS))
    ends = [sum(len(text) for text in items[:i]) for i in range(len(items) + 1)]
    block = struct.pack("<II", 32, 8 + 4 * len(ends)) + struct.pack(f"<{len(ends)}I", *ends) + "".join(items).encode()
    said = {"dictionary": general(1, writer.variable()), "num_dictionary_items": len(items)}
    indices = inline_blocks([items.index(text) for text in TEXTS])
    return "string", TEXTS, mini_block(version, INLINE_32, 1024, indices, others=(lz4(block),), **said)


def arrow_dictionary(version: str) -> Page:
    values, items = [("a", "b", None)[i % 3] for i in range(ROWS)], [b"a", b"b"]
    levels = struct.pack(f"<{ROWS}H", *(value is None for value in values))
    block = struct.pack("<II", 32, 20) + struct.pack("<III", 0, 1, 2) + b"ab"
    said = {"def_compression": writer.flat(16), "dictionary": writer.variable(), "num_dictionary_items": len(items)}
    # A null's index is in the dictionary, too.
    indices = bytes(0 if value is None else items.index(value.encode()) for value in values)
    return "dict:string:int8:false", values, mini_block(version, writer.flat(8), 0, [[indices]], levels, (block,), **said)


def bitmap(values: list) -> bytes:
    return sum((value is not None) << i for i, value in enumerate(values)).to_bytes((len(values) + 7) // 8, "little")


def vectors(version: str) -> Page:
    values = [[i, None if i % 3 == 0 else -i] for i in range(ROWS)]
    parts = [[item for value in part for item in value] for part in cut(values, 256)]
    lists = encoding(fixed_size_list=message("FixedSizeList", items_per_value=2, values=writer.flat(32), has_validity=1))
    return "fixed_size_list:int32:2", values, mini_block(version, lists, 256, [[bitmap(part), int32s(part)] for part in parts])


def full_zip_vectors(version: str) -> Page:
    values = [[i, None if i % 3 == 0 else -i, 5] for i in range(ROWS)]
    lists = encoding(fixed_size_list=message("FixedSizeList", items_per_value=3, values=writer.flat(32), has_validity=1))
    page = message("FullZipLayout", bits_per_value=8 * 13, value_compression=lists, layers=[writer.ALL_VALID])
    return "fixed_size_list:int32:3", values, (layout(full_zip_layout=page), [b"".join(bitmap(value) + int32s(value) for value in values)])


def full_zip_compressed(version: str) -> Page:
    data, starts = b"", []
    for text in TEXTS:
        starts.append(len(data))
        data += struct.pack("<I", len(zstd(text.encode()))) + zstd(text.encode())
    page = message("FullZipLayout", bits_per_offset=32, value_compression=general(2, writer.variable()), layers=[writer.ALL_VALID])
    return "string", TEXTS, (layout(full_zip_layout=page), [data, struct.pack(f"<{ROWS + 1}I", *starts, len(data))])


def null_levels(version: str) -> Page:
    page = message("ConstantLayout", layers=[writer.NULLABLE])
    return "int32", [None] * ROWS, (layout(constant_layout=page), [b"", struct.pack(f"<{ROWS}H", *[1] * ROWS)])


def inline_value(version: str) -> Page:
    levels = [int(i % 5 == 0) for i in range(ROWS)]
    page = message("ConstantLayout", layers=[writer.NULLABLE], inline_value=struct.pack("<i", -9))
    return "int32", [None if level else -9 for level in levels], (layout(constant_layout=page), [b"", struct.pack(f"<{ROWS}H", *levels)])


def scalar_buffer(version: str) -> Page:
    scalar = struct.pack("<III", 2, 8, 4) + struct.pack("<II", 0, 4) + b"same"
    return "string", ["same"] * ROWS, (layout(constant_layout=message("ConstantLayout", layers=[writer.ALL_VALID])), [scalar])


def compressed_streams(version: str) -> Page:
    return byte_streams(version, 1)


def more_compressed_streams(version: str) -> Page:
    return byte_streams(version, 2)


BOTH = [
    inline_bitpacking, runs, byte_streams, compressed_streams, more_compressed_streams, symbols, levels_out_of_line, dictionary,
    arrow_dictionary, vectors, full_zip_vectors, full_zip_compressed, null_levels,
]  # fmt: skip
CASES = [(make, version) for make in BOTH for version in ("2.1", "2.2")] + [(inline_value, "2.2"), (scalar_buffer, "2.2")]


@pytest.mark.parametrize("make, version", CASES, ids=[f"{make.__name__}-{version}" for make, version in CASES])
def test_pages_encoded_by_the_text_are_understood(tmp_path, monkeypatch, make, version):
    type_, values, page = make(version)
    monkeypatch.setattr(writer, "page", lambda *_: page)
    path, some = tmp_path / "t.lance", [5, 1024, 2049, ROWS - 1]
    writer.create(path, version, {"c": [type_, values]})
    dataset = lance.dataset(path)
    assert dataset.to_table()["c"].to_pylist() == values
    assert dataset.take(some)["c"].to_pylist() == [values[row] for row in some]

    def text(value):
        if isinstance(value, list):
            return [text(item) for item in value]
        return value if value is None or isinstance(value, str) else str(value)

    (tmp_path / "ask.json").write_text(json.dumps({"take": some}))
    for command in ([BINARY, "conformance"], [sys.executable, SPEC / "reader" / "lance_reader.py"]):
        for ask, wanted in (([], values), ([tmp_path / "ask.json"], [values[row] for row in some])):
            done = subprocess.run([*command, "read", path, *ask], capture_output=True, text=True, env=environment())
            assert done.returncode == 0, done.stdout + done.stderr
            assert json.loads(done.stdout)["columns"] == [text(wanted)], command
