"""Big Parquet files pass through in little memory, both ways."""

from __future__ import annotations

import os
import time

import lance
import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from conftest import FULL
from lancer_cli import peak_memory

LIMIT = 768 << 20
SIZE = int(os.environ.get("LANCER_PARQUET_BYTES") or (5_000_000_000 if FULL else 100_000_000))
ROWS = 100_000


def block(number: int) -> pa.Table:
    """Rows that differ from block to block."""
    rng = np.random.default_rng(number)
    words = np.array([f"word {i}" for i in range(5000)])
    counts = rng.integers(0, 6, ROWS)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.table(
        {
            "id": np.arange(number * ROWS, (number + 1) * ROWS),
            "random": rng.integers(-(1 << 31), 1 << 31, ROWS, dtype=np.int32),
            "small": pa.array(rng.integers(0, 100, ROWS), mask=rng.random(ROWS) < 0.1),
            "price": rng.random(ROWS).round(2),
            "flag": rng.random(ROWS) < 0.3,
            "word": words[rng.integers(0, 5000, ROWS)],
            "name": [f"row {a} of {b}" for a, b in zip(rng.integers(0, 1 << 40, ROWS), range(ROWS))],
            "when": pa.array(rng.integers(0, 1 << 50, ROWS), pa.timestamp("us", "UTC")),
            "numbers": pa.ListArray.from_arrays(offsets, rng.integers(0, 1 << 20, int(offsets[-1]), dtype=np.int32)),
            "vector": pa.FixedSizeListArray.from_arrays(rng.standard_normal(ROWS * 128).astype(np.float32), 128),
        }
    )


def test_a_big_parquet_file_converts_in_little_memory(disk):
    source, table, back = disk / "big.parquet", disk / "big.lance", disk / "back.parquet"
    blocks = 0
    with pq.ParquetWriter(source, block(0).schema, compression="zstd") as writer:
        while blocks == 0 or source.stat().st_size < SIZE:
            writer.write_table(block(blocks), row_group_size=1 << 20)
            blocks += 1
    start = time.monotonic()
    peak = peak_memory("convert", source, table)
    seconds = time.monotonic() - start
    start = time.monotonic()
    peak_back = peak_memory("convert", table, back)
    print(
        f"\n{source.stat().st_size / 1e9:.2f} GB of Parquet, {blocks * ROWS:,} rows: to Lance in {seconds:.1f} s and {peak >> 20} MiB, "
        f"back in {time.monotonic() - start:.1f} s and {peak_back >> 20} MiB"
    )
    assert peak < LIMIT and peak_back < LIMIT
    assert lance.dataset(str(table)).count_rows() == blocks * ROWS
    # Equal, block by block.
    file = pq.ParquetFile(back)
    assert file.schema_arrow.equals(block(0).schema)
    batches = file.iter_batches(batch_size=ROWS)
    for number in range(blocks):
        got = pa.Table.from_batches([next(batches)])
        if number % max(blocks // 10, 1) == 0:
            assert got.equals(block(number))
        assert got["id"][0].as_py() == number * ROWS


def test_documents_in_pages_of_many_megabytes(disk):
    """pyarrow looks at the size of a page only every 1,024 values."""
    rng = np.random.default_rng(3)
    documents = pa.table({"id": range(3000), "text": [rng.bytes(60_000) for _ in range(3000)]})
    pq.write_table(documents, disk / "d.parquet")
    assert peak_memory("convert", disk / "d.parquet", disk / "d.lance") < LIMIT
    assert peak_memory("convert", disk / "d.lance", disk / "e.parquet") < LIMIT
    assert pq.read_table(disk / "e.parquet").equals(documents)
