"""The benchmark table: seeded, so that every machine measures the same bytes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

WORDS = (
    "fast column page row index vector scan take write read value list struct file chunk level null code data table "
    "version manifest fragment commit append delete query cache buffer memory disk local remote open close"
).split()


def texts(rng: np.random.Generator, rows: int, low: int, high: int) -> pa.Array:
    """Sentences of `low` to `high` words."""
    counts = rng.integers(low, high, rows)
    chosen = rng.integers(0, len(WORDS), int(counts.sum()))
    lengths = np.array([len(word) + 1 for word in WORDS])
    blob = b"".join([(word + " ").encode() for word in WORDS])
    starts_of = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    word_lengths = lengths[chosen]
    ends = np.cumsum(word_lengths)
    positions = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - word_lengths, word_lengths)
    data = np.frombuffer(blob, np.uint8)[positions + np.repeat(starts_of[chosen], word_lengths)]
    row_ends = np.concatenate([[0], ends])[np.concatenate([[0], np.cumsum(counts)])]
    offsets = pa.py_buffer(row_ends.astype(np.int64))
    return pa.Array.from_buffers(pa.large_utf8(), rows, [None, offsets, pa.py_buffer(data)]).cast(pa.utf8())


def bench_table(rows: int, seed: int = 20_261_121) -> pa.Table:
    rng = np.random.default_rng(seed)
    categories = pa.array([f"category-{i:02}" for i in range(40)])
    list_lengths = rng.integers(0, 8, rows)
    list_offsets = np.concatenate([[0], np.cumsum(list_lengths)]).astype(np.int32)
    nulls = rng.random(rows) < 0.1
    return pa.table(
        {
            "id": pa.array(np.arange(rows, dtype=np.int64)),
            "random_int": pa.array(rng.integers(-(1 << 31), 1 << 31, rows, dtype=np.int64).astype(np.int32)),
            "small_int": pa.array(rng.integers(0, 1000, rows).astype(np.int64), mask=nulls),
            "float32": pa.array(rng.standard_normal(rows).astype(np.float32)),
            "price": pa.array(np.round(rng.gamma(2.0, 30.0, rows), 2), mask=nulls[::-1].copy()),
            "flag": pa.array(rng.random(rows) < 0.3),
            "name": pa.array([f"name-{i:x}" for i in rng.integers(0, 1 << 40, rows)]),
            "description": texts(rng, rows, 20, 70),
            "category": pa.array(categories.take(pa.array(rng.integers(0, 40, rows)))),
            "time": pa.array(1_760_000_000_000_000 + np.cumsum(rng.integers(0, 2_000_000, rows)), pa.timestamp("us", "UTC")),
            "numbers": pa.ListArray.from_arrays(
                pa.array(list_offsets), pa.array(rng.integers(0, 100_000, int(list_offsets[-1])).astype(np.int32))
            ),
            "point": pa.StructArray.from_arrays(
                [pa.array(rng.standard_normal(rows)), pa.array(rng.integers(0, 300, rows).astype(np.int16))],
                names=["x", "zone"], mask=pa.array(rng.random(rows) < 0.05),
            ),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(rng.standard_normal(rows * 128, dtype=np.float32)), 128),
        }
    )
