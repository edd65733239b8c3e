"""How scans and takes grow with the number of rows: 10⁵ to 10⁷, Lancer beside pylance, in turns.

    bench/run --everything, or
    .venv/bin/python bench/rows.py --worker bench/.build/release/lancer-bench [--most N]

The table has ids, prices, names and vectors of 16. Each side reads the table it wrote, from the page cache; the rows are
compared with the source first. Lancer works in a process of its own, each side measures the call alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Tests" / "interop")]

from compare import assert_tables_equal  # noqa: E402
from growing import grow, options, sides  # noqa: E402
from lancer_cli import lancer, read_arrow, table_to_lance  # noqa: E402
from racing import Worker, bursts, medians, timed  # noqa: E402


def made(rows: int) -> pa.Table:
    rng = np.random.default_rng(rows)
    return pa.table(
        {
            "id": np.arange(rows),
            "price": np.round(rng.gamma(2.0, 30.0, rows), 2),
            "name": pa.array([f"name-{i:x}" for i in rng.integers(0, 1 << 40, rows)]),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(rng.standard_normal(rows * 16, dtype=np.float32)), 16),
        }
    )


def verify(table: pa.Table, path: Path, out: Path, picked: list[int]) -> None:
    """Lancer reads a table as the source, whole and by row number."""
    lancer("scan", path, "-o", out)
    assert_tables_equal(read_arrow(out), table)
    lancer("take", path, "--rows", ",".join(map(str, picked)), "-o", out, "--overwrite")
    assert_tables_equal(read_arrow(out), table.take(picked), table_metadata=False)
    out.unlink()


def measure(worker: Worker, folder: Path, rows: int) -> dict[str, dict[str, float]]:
    table = made(rows)
    ours, theirs = folder / "ours.lance", folder / "theirs.lance"
    table_to_lance(table, ours)
    peer = lance.write_dataset(table, str(theirs))
    rng = np.random.default_rng(1)
    picked = rng.integers(0, rows, 50).tolist()
    verify(table, ours, folder / "out.arrow", picked)
    assert_tables_equal(peer.to_table(), table)
    assert_tables_equal(peer.take(picked), table.take(picked), table_metadata=False)
    del table

    def drain() -> float:
        return timed(lambda: sum(batch.num_rows for batch in peer.to_batches()))

    def take(count: int) -> tuple[float, float]:
        def pick() -> list[int]:
            return rng.integers(0, rows, count).tolist()

        return medians(*bursts(worker, ours, None, pick, peer.take), repeat=12)

    assert worker("scan", ours, columns=None)["rowCount"] == rows
    scan = medians(lambda: worker("scan", ours, columns=None)["seconds"], drain, repeat=5)
    return sides({
        "scan": scan, "scan a row": (scan[0] / rows, scan[1] / rows), "take 1": take(1), "take 100": take(100),
    })


if __name__ == "__main__":
    grow(options(__doc__, 10_000_000).parse_args(), "rows", 100_000, ["scan", "scan a row", "take 1", "take 100"], measure)
