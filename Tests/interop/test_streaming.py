"""Big inputs pass through in little memory."""

from __future__ import annotations

import os

import lance
import pyarrow as pa
import pyarrow.compute as pc

from conftest import FULL
from lancer_cli import lancer, peak_memory, read_arrow

LIMIT = 512 << 20
SIZE = int(os.environ.get("LANCER_CSV_BYTES") or (2 << 30 if FULL else 200 << 20))


def write_csv(path, size: int) -> int:
    """A CSV of about `size` bytes in blocks of rows that differ within a block; returns the number of rows."""
    rows_in_block = 20_000
    header = "id,name,category,price,count,flag,when,note\n"
    block = "".join(
        f"{i},name {i * 7919 % rows_in_block:06},{'abc'[i % 3]}-category,{i * 0.37:.3f},{'' if i % 11 == 0 else i % 97},"
        f"{'true' if i % 2 else 'false'},2026-11-{i % 28 + 1:02}T12:{i % 60:02}:00Z,"
        f"\"a longer note, number {i}, with some words that repeat and a few that do not: {i * 2654435761 % 2**32:x}\"\n"
        for i in range(rows_in_block)
    ).encode()
    blocks = max(1, size // len(block))
    with open(path, "wb") as out:
        out.write(header.encode())
        for _ in range(blocks):
            out.write(block)
    return blocks * rows_in_block


def test_a_big_csv_converts_in_little_memory(disk):
    rows = write_csv(disk / "big.csv", SIZE)
    peak = peak_memory("convert", disk / "big.csv", disk / "big.lance")
    assert peak < LIMIT, f"converting {SIZE >> 20} MiB took {peak >> 20} MiB"
    (disk / "big.csv").unlink()
    dataset = lance.dataset(str(disk / "big.lance"))
    assert dataset.count_rows() == rows
    assert dataset.schema.names == ["id", "name", "category", "price", "count", "flag", "when", "note"]
    assert pc.sum(dataset.to_table(columns=["id"])["id"]).as_py() == rows // 20_000 * sum(range(20_000))
    assert dataset.to_table(columns=["count"])["count"].null_count == rows // 20_000 * len(range(0, 20_000, 11))
    last = dataset.take([rows - 1]).to_pylist()[0]
    assert last["id"] == 19_999 and last["note"].startswith("a longer note, number 19999, with")

    peak = peak_memory("convert", disk / "big.lance", disk / "out.csv")
    assert peak < LIMIT, f"exporting CSV took {peak >> 20} MiB"
    with open(disk / "out.csv", "rb") as lines:
        assert sum(chunk.count(b"\n") for chunk in iter(lambda: lines.read(1 << 20), b"")) == rows + 1
    (disk / "out.csv").unlink()
    peak = peak_memory("convert", disk / "big.lance", disk / "out.arrow")
    assert peak < LIMIT, f"exporting Arrow took {peak >> 20} MiB"
    assert read_arrow(disk / "out.arrow").num_rows == rows


def test_a_wide_scan_of_vectors_streams(disk):
    rows, width = 120_000, 512
    batch = pa.record_batch({"v": pa.FixedSizeListArray.from_arrays(pa.array([0.5] * (1000 * width), pa.float32()), width)})
    with pa.ipc.new_file(str(disk / "v.arrow"), batch.schema) as out:
        for _ in range(rows // 1000):
            out.write_batch(batch)
    peak = peak_memory("convert", disk / "v.arrow", disk / "v.lance")
    assert peak < LIMIT, f"writing took {peak >> 20} MiB"
    peak = peak_memory("scan", disk / "v.lance", "-o", disk / "out.arrow")
    assert peak < LIMIT, f"scanning took {peak >> 20} MiB"
    assert lancer("count", disk / "v.lance").stdout.decode().strip() == str(rows)
