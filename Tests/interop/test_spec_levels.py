"""Lists and structs written as spec/02-levels.md, 03-mini-block.md and 04-full-zip.md say, by their words alone: everybody reads
them, whole and row by row."""

from __future__ import annotations

import json
import random
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

PAGE = writer.PAGE
NULLABLE_ITEM, NULL_AND_EMPTY_LIST = 3, 6
# 02-levels.md, "Definition levels": numbered from the innermost layer outwards.
NULL_ITEM, NULL_LIST, EMPTY_LIST, NULL_STRUCT = 1, 2, 3, 4
ROW = 1  # repetition level of an entry that begins a row: there is one list layer


def entries(rows: list) -> list[tuple[int, int, int]]:
    """Repetition level, definition level and value of each entry. A row is a list, or a struct with one."""
    result = []
    for row in rows:
        items = row["l"] if isinstance(row, dict) else row
        if isinstance(row, str):
            result.append((ROW, NULL_STRUCT, 0))
        elif not items:
            result.append((ROW, NULL_LIST if items is None else EMPTY_LIST, 0))
        else:
            for place, item in enumerate(items):
                result.append((0 if place else ROW, NULL_ITEM if item is None else 0, item or 0))
    return result


def is_visible(entry: tuple) -> bool:
    return entry[1] <= NULL_ITEM


def mini_block(rows: list, layers: list[int], version: str, count: int) -> tuple[bytes, list[bytes]]:
    """03-mini-block.md, "Levels of a chunk" and "Repetition index"."""
    word, left = {"2.1": "<H", "2.2": "<I"}[version], entries(rows)
    total, chunks = sum(map(is_visible, left)), []
    while left:
        is_last = total - sum(is_visible(e) for chunk in chunks for e in chunk) <= count
        end = seen = 0
        while end < len(left) and (is_last or seen < count):
            seen += is_visible(left[end])
            end += 1
        chunks.append(left[:end])
        left = left[end:]
    words = data = index = b""
    for number, chunk in enumerate(chunks):
        values = [value for rep, level, value in chunk if level <= NULL_ITEM]
        parts = [struct.pack(f"<{len(chunk)}H", *(entry[kind] for entry in chunk)) for kind in (0, 1)]
        parts.append(struct.pack(f"<{len(values)}i", *values))
        head = struct.pack("<HHH", len(chunk), len(parts[0]), len(parts[1])) + struct.pack(word, len(parts[2]))
        body = b"".join(writer.padded(part, 8) for part in [head, *parts])
        is_last = number == len(chunks) - 1
        words += struct.pack(word, (len(body) // 8 - 1) << 4 | (0 if is_last else count.bit_length() - 1))
        data += body
        starts_next = is_last or chunks[number + 1][0][0] == ROW
        begins = [place for place, entry in enumerate(chunk) if entry[0] == ROW]
        finished = sum(place > 0 for place in begins) + starts_next
        index += struct.pack("<QQ", finished, 0 if starts_next else len(chunk) - (begins[-1] if begins else 0))
    said = {"has_large_chunk": 1} if version == "2.2" else {}
    layout = writer.encode(
        PAGE + "MiniBlockLayout", rep_compression=writer.flat(16), def_compression=writer.flat(16), value_compression=writer.flat(32),
        layers=layers, num_buffers=1, repetition_index_depth=1, num_items=total, **said,
    )  # fmt: skip
    return writer.encode(PAGE + "PageLayout", mini_block_layout=layout), [words, data, index]


def full_zip(rows: list, layers: list[int], version: str, count: int) -> tuple[bytes, list[bytes]]:
    """04-full-zip.md, "Entries" and "Row index"."""
    data, starts = b"", []
    for entry in entries(rows):
        if entry[0] == ROW:
            starts.append(len(data))
        data += bytes([entry[0] << 3 | entry[1]]) + (struct.pack("<i", entry[2]) if is_visible(entry) else b"")
    layout = writer.encode(
        PAGE + "FullZipLayout", bits_rep=1, bits_def=3, bits_per_value=32, value_compression=writer.flat(32), layers=layers,
    )  # fmt: skip
    index = struct.pack(f"<{len(starts) + 1}I", *starts, len(data))
    return writer.encode(PAGE + "PageLayout", full_zip_layout=layout), [data, index]


def schema(in_struct: bool) -> list[bytes]:
    """08-types.md, "Schema tree": parents before children; id 0 is left out, as proto3 has it."""
    names = [("s", "struct")] * in_struct + [("l", "list"), ("item", "int32")]
    return [
        writer.encode("lance.file.Field", name=name, logical_type=type_, nullable=1, **({"id": i} if i else {}), **({"parent_id": i - 1} if i != 1 else {}))
        for i, (name, type_) in enumerate(names)
    ]


@pytest.mark.parametrize("layout, count", [(mini_block, 16), (mini_block, 1024), (full_zip, 0)], ids=["small-chunks", "chunks", "full-zip"])
@pytest.mark.parametrize("in_struct", [False, True], ids=["lists", "structs-of-lists"])
@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_levels_and_row_indexes_made_by_the_text_are_understood(tmp_path, monkeypatch, version, in_struct, layout, count):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    r = random.Random(seed)

    def some_list():
        size = r.choice([1, 2, 3, 40, 200])
        return r.choice([None, [], *[[r.choice([None, r.randrange(-99, 99)]) for _ in range(size)]] * 4])

    # A null struct is the text "null" until it is written.
    rows = [r.choice(["null", *[{"l": some_list()}] * 4]) if in_struct else some_list() for _ in range(300)]
    layers = [NULLABLE_ITEM, NULL_AND_EMPTY_LIST] + [NULLABLE_ITEM] * in_struct
    encode = writer.encode

    def with_leaf(name: str, /, **values) -> bytes:
        if name == "lance.table.DataFile":
            values["fields"] = [1 + in_struct]  # the leaf's id
        return encode(name, **values)

    monkeypatch.setattr(writer, "encode", with_leaf)
    monkeypatch.setattr(writer, "schema", lambda columns: schema(in_struct))
    monkeypatch.setattr(writer, "page", lambda type_, values, version: layout(values, layers, version, count))
    path = tmp_path / "t.lance"
    writer.create(path, version, {"column": ["", rows]})
    expected = [None if row == "null" else row for row in rows]
    some = sorted(r.sample(range(len(rows)), 60))
    dataset = lance.dataset(path)
    assert dataset.to_table().column(0).to_pylist() == expected
    assert dataset.take(some).column(0).to_pylist() == [expected[row] for row in some]

    def text(row):
        if isinstance(row, dict):
            return [text(row["l"])]
        return None if row is None else [None if item is None else str(item) for item in row]

    (tmp_path / "ask.json").write_text(json.dumps({"take": some}))
    for command in ([BINARY, "conformance"], [sys.executable, SPEC / "reader" / "lance_reader.py"]):
        for ask, wanted in (([], expected), ([tmp_path / "ask.json"], [expected[row] for row in some])):
            done = subprocess.run([*command, "read", path, *ask], capture_output=True, text=True, env=environment())
            assert done.returncode == 0, done.stdout + done.stderr
            assert json.loads(done.stdout)["columns"] == [[text(row) for row in wanted]], command
