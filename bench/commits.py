"""Commits a second: one-row appends by one process and by eight at once, synced and not, Lancer and pylance; and what checksums
cost a scan.

    bench/run-commits [--appends N]

pylance syncs nothing (its `local_fsync` is off), so the synced lines have no counterpart.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa


def order(worker: Path, orders: list[dict]) -> list[dict]:
    text = "".join(json.dumps(one) + "\n" for one in orders)
    done = subprocess.run([str(worker)], input=text, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for answer in answers:
        if answer.get("error"):
            raise RuntimeError(answer["error"])
    return answers


def pylance_appends(arguments) -> float:
    path, rows = arguments
    start = time.perf_counter()
    for row in rows:
        lance.write_dataset(pa.table({"id": pa.array([row], pa.int64())}), path, mode="append")
    return time.perf_counter() - start


def new_table(folder: Path, name: str) -> Path:
    path = folder / name
    lance.write_dataset(pa.table({"id": pa.array([-1], pa.int64())}), str(path))
    return path


def check(path: Path, expected: int) -> None:
    found = lance.dataset(str(path)).to_table()["id"].to_pylist()
    assert sorted(found) == [-1, *range(expected)], f"{path}: rows are lost or doubled"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", type=Path, required=True)
    parser.add_argument("--appends", type=int, default=200)
    parser.add_argument("--vectors", type=int, default=500_000)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lancer-commits-"))
    count = options.appends
    try:
        for processes in (1, 8):
            each = max(1, count // processes)
            shares = [list(range(index * each, (index + 1) * each)) for index in range(processes)]
            for kind in ("Lancer, synced", "Lancer, not synced", "pylance"):
                path = new_table(folder, f"{kind.replace(', ', '-').replace(' ', '-')}-{processes}.lance")
                if kind == "pylance":
                    with multiprocessing.get_context("spawn").Pool(processes) as pool:
                        pool.map(len, shares)
                        start = time.perf_counter()
                        pool.map(pylance_appends, [(str(path), share) for share in shares], chunksize=1)
                        seconds = time.perf_counter() - start
                else:
                    durable = kind == "Lancer, synced"
                    start = time.perf_counter()
                    with ThreadPoolExecutor(processes) as pool:
                        jobs = [
                            [{"task": "append", "path": str(path), "rows": share, "durable": durable}] for share in shares
                        ]
                        list(pool.map(lambda job: order(options.worker, job), jobs))
                    seconds = time.perf_counter() - start
                check(path, processes * each)
                print(f"{processes} processes x {each} one-row appends, {kind:<20} {processes * each / seconds:8.0f} commits/s", flush=True)

        source, path = folder / "source.lance", folder / "vectors.lance"
        values = np.random.default_rng(1).random(options.vectors * 128, dtype=np.float32)
        table = pa.table({"vector": pa.FixedSizeListArray.from_arrays(pa.array(values), 128)})
        lance.write_dataset(table, str(source))
        scans = [{"task": "scan", "path": str(path), "checksums": checksums} for _ in range(15) for checksums in (True, False)]
        answers = order(options.worker, [{"task": "load", "path": str(source)}, {"task": "write", "path": str(path)}, *scans])[2:]
        compared = statistics.median(answer["seconds"] for answer in answers[2::2])
        plain = statistics.median(answer["seconds"] for answer in answers[3::2])
        size = table.nbytes / 1e9
        print(f"scan of {size:.2f} GB of vectors: {size / plain:.1f} GB/s, with checksums {size / compared:.1f} GB/s ({100 * (compared / plain - 1):+.1f} %)")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
