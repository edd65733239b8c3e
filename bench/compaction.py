"""Compaction of 1,000 fragments of 1,000 rows with 10 % deleted: time and peak memory, Lancer beside pylance.

    .venv/bin/python bench/compaction.py [--fragments N] [--rows N] [--repeat N]

Each compaction runs in a process of its own on a fresh copy of the table. Peak memory is that of the whole process; that
of a process which only counts the rows is shown beside it. Lancer's time is that of the whole command, with its syncs and
the start of two processes, pylance's that of the call alone. Afterwards the rows must be what they were.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Tests" / "interop")]

from lancer_cli import BINARY, MEASURE  # noqa: E402
from racing import write_results  # noqa: E402

PYLANCE = """
import json, sys, time
import lance
dataset = lance.dataset(sys.argv[1])
start = time.perf_counter()
if sys.argv[2] == "compact":
    dataset.optimize.compact_files()
else:
    dataset.count_rows()
print(json.dumps({"seconds": time.perf_counter() - start}))
"""


def build(path: Path, fragments: int, rows: int) -> None:
    count = fragments * rows
    rng = np.random.default_rng(1)
    table = pa.table(
        {
            "id": pa.array(np.arange(count)),
            "price": pa.array(rng.random(count)),
            "category": pa.array(rng.integers(0, 100, count), pa.int32()),
            "text": pa.array([f"item {i} of {i % 977}" for i in range(count)]),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(rng.random(count * 16, np.float32)), 16),
        }
    )
    dataset = lance.write_dataset(table, str(path), max_rows_per_file=rows)
    dataset.delete("id % 10 = 3")
    assert len(lance.dataset(str(path)).get_fragments()) == fragments


def run(command: list[str]) -> tuple[float, float, str]:
    """Seconds, peak MB and output of a process."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", MEASURE, *command], stdout=subprocess.PIPE, check=True)
    seconds = time.perf_counter() - start
    *output, last = done.stdout.decode().splitlines()
    status, peak = last.split()
    if status != "0":
        raise SystemExit(f"{command} ended with {status}")
    return seconds, int(peak) / 1e6, "\n".join(output)


def digest(path: Path) -> tuple:
    table = lance.dataset(str(path)).to_table(columns=["id", "price", "category", "text"])
    order = table["id"].to_numpy()
    return table.num_rows, bool((np.diff(order) > 0).all()), table.sort_by("id")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fragments", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="lancer-bench-"))
    results: dict[str, list[tuple[float, float]]] = {"lancer": [], "pylance": []}
    try:
        source = scratch / "source.lance"
        build(source, options.fragments, options.rows)
        expected = digest(source)
        for _ in range(options.repeat):
            for who in results:
                copy = scratch / "copy.lance"
                shutil.rmtree(copy, ignore_errors=True)
                shutil.copytree(source, copy)
                if who == "lancer":
                    seconds, peak, _ = run([str(BINARY), "compact", str(copy), "--json"])
                else:
                    _, peak, output = run([sys.executable, "-c", PYLANCE, str(copy), "compact"])
                    seconds = json.loads(output)["seconds"]
                results[who].append((seconds, peak))
                rows, ordered, table = digest(copy)
                assert rows == expected[0] and table.equals(expected[2]), f"{who} changed rows"
                assert who != "lancer" or ordered, "the order changed"
                assert len(lance.dataset(str(copy)).get_fragments()) == 1
        _, idle, _ = run([sys.executable, "-c", PYLANCE, str(source), "count"])
        _, our_idle, _ = run([str(BINARY), "count", str(source)])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"{options.fragments:,} fragments of {options.rows:,} rows, 10 % deleted; best of {options.repeat}")
    summary = {}
    for who, idle_peak in (("lancer", our_idle), ("pylance", idle)):
        seconds, peak = min(s for s, _ in results[who]), min(p for _, p in results[who])
        summary[who] = {"seconds": seconds, "peakMB": peak, "idleMB": idle_peak}
        print(f"{who:8} {seconds:7.2f} s   peak {peak:6.0f} MB (process that only counts: {idle_peak:.0f} MB)")
    if options.json:
        write_results(options.json, {"fragments": options.fragments, "rows": options.rows, "compaction": summary})


if __name__ == "__main__":
    main()
