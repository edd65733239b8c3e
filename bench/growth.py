"""How opening, counting, taking and committing grow with the number of fragments: 10 to 10,000, Lancer beside pylance.

    swift build -c release --package-path bench
    .venv/bin/python bench/growth.py [--most N] [--commits N]

Every fragment has one row. Lancer works in a process of its own (`lancer-bench`), pylance in this one; each measures the
call alone, and neither syncs. A take is of one row in the middle by a table just opened, a commit an append of one row by
the handle of the last one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import lance
import pyarrow as pa

HERE = Path(__file__).resolve().parent
WORKER = HERE / ".build" / "release" / "lancer-bench"
sys.path[:0] = [str(HERE)]

from racing import Worker as Process  # noqa: E402


class Worker(Process):
    """Lancer, asked for times only."""

    def __call__(self, task: str, path: Path, **order: object) -> float:
        return super().__call__(task, path, **order)["seconds"]


def timed(work) -> tuple[float, object]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def row(number: int) -> pa.Table:
    return pa.table({"id": [number], "name": [f"row {number}"]})


def measure_lancer(worker: Worker, path: Path, count: int, commits: int) -> dict[str, float]:
    one = path.with_name("one.lance")
    lance.write_dataset(row(0), str(one), mode="overwrite")
    worker("load", one)
    result = {"open": statistics.median(worker("open", path) for _ in range(7))}
    result["count"] = worker("count", path)
    takes = []
    for _ in range(7):
        worker("open", path)
        takes.append(worker("take", path, rows=[count // 2]))
    result["take"] = statistics.median(takes)
    result["commit"] = statistics.median(worker("commit", path) for _ in range(commits))
    return result


def measure_pylance(path: Path, count: int, commits: int) -> dict[str, float]:
    result = {"open": statistics.median(timed(lambda: lance.dataset(str(path)))[0] for _ in range(7))}
    result["count"] = timed(lance.dataset(str(path)).count_rows)[0]
    takes = []
    for _ in range(7):
        dataset = lance.dataset(str(path))
        takes.append(timed(lambda: dataset.take([count // 2]))[0])
    result["take"] = statistics.median(takes)
    dataset = lance.dataset(str(path))
    result["commit"] = statistics.median(timed(lambda: dataset.insert(row(count + i)))[0] for i in range(commits))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--commits", type=int, default=20)
    parser.add_argument("--worker", type=Path, default=WORKER)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="lancer-bench-"))
    worker = Worker(options.worker)
    results = {}
    print(f"{'fragments':>9} {'manifest':>10}  {'':8} {'open':>9} {'count':>9} {'take 1':>9} {'commit':>9}")
    try:
        count = 10
        while count <= options.most:
            path = scratch / f"{count}.lance"
            ids = list(range(count))
            lance.write_dataset(
                pa.table({"id": ids, "name": [f"row {i}" for i in ids]}), str(path), max_rows_per_file=1
            )
            copy = scratch / f"{count}-copy.lance"
            shutil.copytree(path, copy)
            size = next((path / "_versions").glob("*.manifest")).stat().st_size
            results[count] = {
                "lancer": measure_lancer(worker, path, count, options.commits),
                "pylance": measure_pylance(copy, count, options.commits),
            }
            for who, times in results[count].items():
                cells = " ".join(f"{times[name] * 1e3:6.2f} ms" for name in ("open", "count", "take", "commit"))
                left = f"{count:>9,} {size:>8,} B" if who == "lancer" else " " * 20
                print(f"{left}  {who:8} {cells}", flush=True)
            assert lance.dataset(str(path)).count_rows() == count + options.commits
            shutil.rmtree(path)
            shutil.rmtree(copy)
            count *= 10
    finally:
        worker.close()
        shutil.rmtree(scratch, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
