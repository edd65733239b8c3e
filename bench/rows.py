"""How scans and takes grow with the number of rows: 10⁵ to 10⁷, Lancer beside pylance, in turns.

    bench/run --everything, or
    .venv/bin/python bench/rows.py --worker bench/.build/release/lancer-bench [--most N]

The table has ids, prices, names and vectors of 16. Each side reads the table it wrote, from the page cache; the rows are
compared with the source first. Lancer works in a process of its own, each side measures the call alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Tests" / "interop")]

from compare import assert_tables_equal  # noqa: E402
from lancer_cli import lancer, read_arrow, table_to_lance  # noqa: E402
from racing import Worker, bursts, timed  # noqa: E402


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


def medians(ours, theirs, repeat: int) -> tuple[float, float]:
    """The middle of both sides' times in turns; each callable returns a list of them."""
    left, right = [], []
    for turn in range(repeat + 1):
        a, b = ours(), theirs()
        if turn:
            left += a
            right += b
    return statistics.median(left), statistics.median(right)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=10_000_000)
    parser.add_argument("--worker", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="lancer-bench-"))
    worker = Worker(options.worker)
    results = {}
    print(f"{'rows':>11}  {'':8} {'scan':>10} {'per row':>9} {'take 1':>10} {'take 100':>10}")
    try:
        rows = 100_000
        while rows <= options.most:
            table = made(rows)
            ours, theirs = scratch / f"ours-{rows}.lance", scratch / f"theirs-{rows}.lance"
            table_to_lance(table, ours)
            peer = lance.write_dataset(table, str(theirs))
            rng = np.random.default_rng(1)
            picked = rng.integers(0, rows, 50).tolist()
            out = scratch / f"out-{rows}.arrow"
            lancer("take", ours, "--rows", ",".join(map(str, picked)), "-o", out)
            assert_tables_equal(read_arrow(out), table.take(picked), table_metadata=False)
            assert worker("scan", ours, columns=None)["rowCount"] == rows
            del table

            def drain() -> list[float]:
                return [timed(lambda: sum(batch.num_rows for batch in peer.to_batches()))]

            def take(count: int):
                def pick() -> list[int]:
                    return rng.integers(0, rows, count).tolist()

                return medians(*bursts(worker, ours, None, pick, peer.take), 12)

            scans = medians(lambda: [worker("scan", ours, columns=None)["seconds"]], drain, 5)
            times = {"scan": scans, "take 1": take(1), "take 100": take(100)}
            results[rows] = {name: {"lancer": a, "pylance": b} for name, (a, b) in times.items()}
            for side, who in enumerate(("lancer", "pylance")):
                scan = times["scan"][side]
                left = f"{rows:>11,}" if side == 0 else " " * 11
                takes = " ".join(f"{times[name][side] * 1e6:>7.0f} µs" for name in ("take 1", "take 100"))
                print(f"{left}  {who:8} {scan * 1e3:>7.1f} ms {scan / rows * 1e9:>6.1f} ns {takes}", flush=True)
            shutil.rmtree(ours)
            shutil.rmtree(theirs)
            rows *= 10
    finally:
        worker.close()
        shutil.rmtree(scratch, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
