"""Parquet files that are damaged, hostile, or use what Lancer has not: refused by name, within little memory."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import FULL
from lancer_cli import BINARY, CORRUPT, ROOT, UNSUPPORTED, environment, lancer, read_arrow

VECTORS = ROOT / "Tests" / "Vectors" / "Parquet"
sys.path.append(str(VECTORS))

from make_vectors import parquet, schema_of  # noqa: E402
from thrift_edit import BINARY as TEXT  # noqa: E402
from thrift_edit import I32, I64, STRUCT, edit_footer, edit_pages  # noqa: E402

LIMIT = 256 << 20
SEED = 20_261_121

# Runs the command on each file named on its input, one a line, and prints status and peak memory. A process of its own,
# because a child's peak starts with that of the process it comes from.
RUNNER = """
import os, subprocess, sys
for line in sys.stdin:
    child = subprocess.Popen([*sys.argv[1:], line.strip(), "-o", os.devnull, "--to", "arrows"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    print(os.waitstatus_to_exitcode(status), usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024), flush=True)
"""


def scan_all(files) -> list[tuple[int, int]]:
    done = subprocess.run(
        [sys.executable, "-S", "-c", RUNNER, str(BINARY), "scan"], input="\n".join(map(str, files)), capture_output=True,
        text=True, env=environment(), timeout=540,
    )
    results = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(results) == len(files), done.stderr
    return results


@pytest.mark.parametrize("name", ["mixed-zstd", "encodings", "groups"])
def test_damage_takes_little_memory(name, scratch):
    """Truncations and inverted bytes; the Swift tests look at each of them for traps, this one at what they take."""
    whole = (VECTORS / f"{name}.parquet").read_bytes()
    damaged = [whole[:cut] for cut in range(len(whole))]
    damaged += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(len(whole))]
    if not FULL:
        damaged = random.Random(SEED).sample(damaged, 120)
    worst = 0
    for start in range(0, len(damaged), 500):
        files = []
        for number, data in enumerate(damaged[start : start + 500]):
            files.append(scratch / f"{number}.parquet")
            files[-1].write_bytes(data)
        for path, (status, peak) in zip(files, scan_all(files)):
            assert status in (0, 2, CORRUPT, UNSUPPORTED), f"seed {SEED}: {path.read_bytes().hex()} ended with {status}"
            worst = max(worst, peak)
    assert worst < LIMIT, f"{worst >> 20} MiB"


def uncompressed_claim(size: int):
    def change(header, content, meta):
        if header[1][1] != 2:
            header[2] = (I32, size)
        return header, content

    return change


def zeros(codec: str, size: int):
    """Pages whose content really is that many zeros."""
    packed = pa.Codec(codec).compress(bytes(size), asbytes=True)

    def change(header, content, meta):
        header[2] = (I32, size)
        return header, packed

    return change


def many_values(header, content, meta):
    """A page of a single row with 2^30 items, by two runs."""
    if header[1][1] == 2:
        return header, content
    count = 1 << 30

    def run(value: int) -> bytes:
        out, rest = bytearray(), count << 1
        while rest > 127:
            out.append(rest & 127 | 128)
            rest >>= 7
        return bytes(out + bytes([rest, value]))

    # The first item starts the row, the others go on with it.
    repetition = b"\x03\xfe" + run(1)
    levels = [len(part).to_bytes(4, "little") + part for part in (repetition, run(3))]
    body = b"".join(levels) + b"\x01" + run(0)
    header[2] = (I32, len(body))
    header[5][1][1] = (I32, count)
    meta[5] = (I64, count)
    return header, body


def test_bombs_are_refused(scratch):
    numbers = pa.table({"n": pa.array(range(1000), pa.int64())})
    lists = pa.table({"l": pa.array([["x" * 100_000]], pa.list_(pa.string()))})
    many = pa.table({f"c{i}": pa.array(range(10), pa.int64()) for i in range(200)})
    plain = {"use_dictionary": False}
    bombs = {
        "claim": edit_pages(parquet(numbers, compression="snappy", **plain), uncompressed_claim((1 << 31) - 1)),
        "claim-none": edit_pages(parquet(numbers, compression="none", **plain), uncompressed_claim((1 << 31) - 1)),
        "claim-many": edit_pages(parquet(many, compression="zstd", **plain), uncompressed_claim(1 << 29)),
        "zeros-zstd": edit_pages(parquet(numbers, compression="zstd", **plain), zeros("zstd", 1 << 30)),
        "zeros-gzip": edit_pages(parquet(numbers, compression="gzip", **plain), zeros("gzip", 1 << 28)),
        "row": edit_pages(parquet(lists, compression="none"), many_values),
    }
    files = []
    for name, data in bombs.items():
        files.append(scratch / f"{name}.parquet")
        files[-1].write_bytes(data)
    for path, (status, peak) in zip(files, scan_all(files)):
        assert status in (CORRUPT, UNSUPPORTED, 2), f"{path.name}: {status}"
        assert peak < LIMIT, f"{path.name}: {peak >> 20} MiB"


def test_vectors_of_absurd_length_are_refused(scratch):
    """`ARROW:schema` may say what it likes."""
    table = pa.table({"v": pa.array([None] * 3, pa.list_(pa.int8(), 4))})
    huge = pa.schema([pa.field("v", pa.list_(pa.int8(), (1 << 31) - 1))])
    other = pq.ParquetFile(pa.BufferReader(parquet(pa.table({"v": pa.array([], huge.field("v").type)}), store_schema=True)))
    hint = other.metadata.metadata[b"ARROW:schema"]

    def change(footer):
        for pair in footer[5][1][1]:
            if pair[1][1] == b"ARROW:schema":
                pair[2] = (TEXT, hint)

    path = scratch / "t.parquet"
    path.write_bytes(edit_footer(parquet(table, store_schema=True), change))
    [(status, peak)] = scan_all([path])
    assert status != 0 and peak < LIMIT


def complaint(data: bytes, scratch, status: int) -> str:
    path = scratch / "t.parquet"
    path.write_bytes(data)
    message = lancer("scan", path, "-o", "/dev/null", "--to", "arrows", status=status).stderr.decode()
    assert len(message.strip().splitlines()) == 1
    return message


def chunks(footer):
    return [column for group in footer[4][1][1] for column in group[1][1][1]]


def test_what_cannot_be_read_is_said_by_name(scratch):
    table = pa.table({"n": pa.array([1, 2, None], pa.int64()), "s": ["a", "b", "c"]})

    def edited(change, **options):
        return edit_footer(parquet(table, **options), change)

    assert "BROTLI" in complaint(parquet(table, compression="brotli"), scratch, UNSUPPORTED)
    assert "LZO" in complaint(edited(lambda f: [c[3][1].update({4: (I32, 3)}) for c in chunks(f)]), scratch, UNSUPPORTED)
    assert "codec 99" in complaint(edited(lambda f: [c[3][1].update({4: (I32, 99)}) for c in chunks(f)]), scratch, UNSUPPORTED)
    assert "encrypted" in complaint(edited(lambda f: chunks(f)[1].update({8: (STRUCT, {1: (STRUCT, {})})})), scratch, UNSUPPORTED)
    assert "encrypted" in complaint(edited(lambda f: f.update({8: (STRUCT, {1: (STRUCT, {})})})), scratch, UNSUPPORTED)
    whole = parquet(table)
    assert "encrypted" in complaint(b"PARE" + whole[4:-4] + b"PARE", scratch, UNSUPPORTED)
    assert "other.parquet" in complaint(edited(lambda f: chunks(f)[0].update({1: (TEXT, b"other.parquet")})), scratch, UNSUPPORTED)
    strange = edit_pages(whole, lambda header, content, meta: ({**header, 5: (STRUCT, {**header[5][1], 2: (I32, 77)})} if 5 in header else header, content))
    assert "encoding 77" in complaint(strange, scratch, UNSUPPORTED)
    assert "rows" in complaint(edited(lambda f: f.update({3: (I64, 4)})), scratch, CORRUPT)
    assert "columns" in complaint(edited(lambda f: f[4][1][1][0][1][1][1].pop()), scratch, CORRUPT)
    assert "INT32" in complaint(edited(lambda f: chunks(f)[0][3][1].update({1: (I32, 1)})), scratch, CORRUPT)

    def null_key(footer):
        schema_of(footer)[3][3] = (I32, 1)

    pairs = pa.table({"m": pa.array([[("k", 1)]], pa.map_(pa.utf8(), pa.int64()))})
    complaint(edit_footer(parquet(pairs), null_key), scratch, CORRUPT)


def test_types_of_arrow_that_lancer_has_not_do_not_hide_the_others(scratch):
    """The stored schema still tells the types of the columns beside them."""
    table = pa.table({"d": pa.array([1, None], pa.duration("s")), "v": pa.array([[1, 2], None], pa.list_(pa.int8(), 2))})
    strange = [pa.array([1, None], pa.decimal32(5, 2)), pa.array(["a", None], pa.string_view())]
    for number, array in enumerate(strange):
        path = scratch / f"{number}.parquet"
        pq.write_table(table.append_column("x", array), path)
        lancer("convert", path, scratch / f"{number}.arrow")
        got = read_arrow(scratch / f"{number}.arrow")
        assert got.select(["d", "v"]).equals(table)
        assert list(map(str, got["x"].to_pylist())) == list(map(str, array.to_pylist()))


def test_a_field_id_is_kept(scratch):
    field = pa.field("n", pa.int32(), metadata={"PARQUET:field_id": "17"})
    pq.write_table(pa.table({"n": pa.array([1], pa.int32())}, schema=pa.schema([field])), scratch / "a.parquet")
    lancer("convert", scratch / "a.parquet", scratch / "b.parquet")
    assert pq.ParquetFile(scratch / "b.parquet").schema_arrow.field("n").metadata[b"PARQUET:field_id"] == b"17"


def test_inspect_of_a_damaged_file_says_what_is_wrong(scratch):
    whole = (VECTORS / "groups.parquet").read_bytes()
    (scratch / "t.parquet").write_bytes(whole[:-9] + b"\xff" + whole[-8:])
    assert lancer("inspect", scratch / "t.parquet", status=None).returncode in (0, CORRUPT)
    assert json.loads(lancer("inspect", VECTORS / "mixes.parquet", "--json").stdout)["rows"] == 12
